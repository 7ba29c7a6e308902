// SPDX-License-Identifier: Apache-2.0
// The options of k3s and RKE2 as far as they decide what their kubelet is started with: the unit's words, the
// configuration file and the files beside it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "embedded/yaml_settings.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"

namespace kubelet_sysctl::nodes {

/// What differs between the two.
struct Product {
  std::string_view title;  ///< for messages
  std::string_view
      program;  ///< "k3s": names the directories, the generated file, the unit's program
  std::string_view variables;  ///< "K3S": what the names of its variables begin with
};

/// The file and the directory of its configuration, whether or not they exist.
struct ConfigPlaces {
  std::string file;       ///< config.yaml, or the one that the unit names
  std::string directory;  ///< config.yaml.d
  std::vector<std::string>
      files;  ///< of both, in the order in which they are read; those that were listed
};

struct Options {
  ConfigPlaces places;
  bool is_agent = false;
  std::string data_dir;
  std::vector<YamlValue> kubelet_args;  ///< in the order in which the kubelet gets them
  std::vector<std::string> disabled;    ///< of --disable, single names
  bool has_servicelb = true;
};

/// Where the configuration is. Errors: kUnsupported where the unit does not run `PROGRAM server` or `agent`, or
/// the configuration is fetched from elsewhere.
Result<ConfigPlaces> config_places(const Product& product, const NodeSnapshot& snapshot,
                                   const systemd::CommandLine& unit);

/// The options. Errors: kMalformed where the program would not start over a file; kUnsupported where what it
/// makes of them is not known.
Result<Options> options_of(const Product& product, const NodeSnapshot& snapshot,
                           const systemd::CommandLine& unit);

/// kubelet-arg merged with the defaults of the program, by name, each with its values in order.
/// Source: k3s pkg/util/args.go, GetArgs.
std::vector<systemd::Word> merged_args(const std::map<std::string, std::string>& defaults,
                                       const std::vector<YamlValue>& args);

/// The name that an item of kubelet-arg begins with, without dashes before and signs behind, and the offset of
/// its value; npos where it has none.
std::string name_of_arg(std::string_view arg, std::size_t& value);

}  // namespace kubelet_sysctl::nodes
