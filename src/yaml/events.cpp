// SPDX-License-Identifier: Apache-2.0
// Walks over events, and errors with a place in the text.
#include "kubelet_sysctl/yaml/events.hpp"

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"

namespace kubelet_sysctl::yaml {
namespace {

constexpr std::size_t kFewNodes = 50'000;
constexpr std::size_t kLeastBytesOfANode = 5;

}  // namespace

bool is_start(EventKind kind) {
  return kind == EventKind::kSequenceStart || kind == EventKind::kMapStart;
}

Anchors::Anchors(const Events& events) : events_(events) {
  for (std::size_t i = 0; i < events.size(); ++i) {
    const Event& event = events[i];
    if (event.kind == EventKind::kAlias || event.anchor == 0) continue;
    if (event.anchor >= places_.size()) places_.resize(event.anchor + 1, kNone);
    places_[event.anchor] = i;
  }
}

std::size_t Anchors::resolved(std::size_t node) const {
  const Event& event = events_[node];
  if (event.kind != EventKind::kAlias || event.anchor >= places_.size()) return node;
  return places_[event.anchor] == kNone ? node : places_[event.anchor];
}

std::size_t node_end(const Events& events, std::size_t node) {
  std::size_t depth = 0;
  do {
    const EventKind kind = events[node].kind;
    if (is_start(kind)) ++depth;
    if (kind == EventKind::kSequenceEnd || kind == EventKind::kMapEnd) --depth;
    ++node;
  } while (depth > 0);
  return node;
}

Error error_in(ErrorKind kind, std::string_view bytes, Span at, std::string message,
               std::string hint) {
  SourceFile file;
  file.bytes = std::string(bytes);
  return error_at(kind, file, at, std::move(message), std::move(hint));
}

bool is_too_dense(std::size_t nodes, std::size_t bytes) {
  return nodes > kFewNodes && bytes / kLeastBytesOfANode < nodes;
}

Error dense_error() {
  return {
      .kind = ErrorKind::kUnsupported,
      .message = fmt::format("will not read this file: it has more than {} nodes of less than {} "
                             "bytes each",
                             kFewNodes, kLeastBytesOfANode)};
}

}  // namespace kubelet_sysctl::yaml
