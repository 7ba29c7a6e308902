// SPDX-License-Identifier: Apache-2.0
// Where each word of a command line is in the files of a node.
#include "word_origins.hpp"

#include <map>
#include <utility>

#include "kubelet_sysctl/base/lines.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"

namespace kubelet_sysctl::model {

std::vector<Origin> word_origins(const nodes::NodeSnapshot& snapshot,
                                 const std::vector<systemd::Word>& words,
                                 const std::function<OriginKind(const systemd::Word&)>& kind_of) {
  std::vector<Origin> origins;
  std::map<std::int32_t, LineCounter> lines;
  for (const systemd::Word& word : words) {
    Origin origin;
    origin.kind = kind_of(word);
    origin.variable = word.variable;
    if (word.raw.source != kNoSource) {
      const SourceFile& file = snapshot.files[static_cast<std::size_t>(word.raw.source)];
      origin.path = file.path;
      origin.span = {word.raw.begin, word.raw.end};
      origin.source = word.raw.source;
      origin.line = lines[word.raw.source].line_of(file.bytes, word.raw.begin);
    }
    origins.push_back(std::move(origin));
  }
  return origins;
}

}  // namespace kubelet_sysctl::model
