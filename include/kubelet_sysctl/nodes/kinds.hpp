// SPDX-License-Identifier: Apache-2.0
// Kinds of nodes: how each is recognised, where its list belongs, who rewrites what.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/advice.hpp"
#include "kubelet_sysctl/base/entry_list.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/nodes/route.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/systemd/unit_file.hpp"

namespace kubelet_sysctl::nodes {

struct KubeletLauncher;

/// What a kind is recognised by.
struct Signs {
  const NodeSnapshot& node;
  /// In force by the text of the unit's files: what a later file resets is not among them.
  systemd::ServiceSettings settings;
};

/// One kind of node: how it is recognised, where its list belongs, who rewrites what.
struct NodeKind {
  std::string_view id;            ///< "kops"
  std::string_view title;         ///< "kOps"
  bool (*matches)(const Signs&);  ///< true when the node is of this kind
  std::string_view variable;  ///< the variable for the args route; empty: found from the command
  Route new_list_route;       ///< where a list goes when none exists
  std::string_view rewritten_by;  ///< who rewrites the files and when; empty when nobody does
  std::string_view rewritten;     ///< paths that are rewritten, separated by blanks
  std::string_view vendor_route;  ///< the persistent way, for the operator to read
  bool refuse = false;            ///< another manager owns the node: no edit at all
  const KubeletLauncher* launcher =
      nullptr;  ///< what runs the kubelet; nullptr: the unit itself does
  /// Units that run the kubelet where there is no kubelet.service, separated by blanks.
  std::string_view units = {};
  /// The persistent way with the whole list filled in; nullptr where there is none to fill in.
  Advice (*advise)(const EntryList& list) = nullptr;
  /// A file of this node that the program that rewrites the list reads: written with --persist. Empty: there is none.
  std::string_view persistent_file = {};
  /// Its whole text; nullptr: it is a part of a KubeletConfiguration, and other keys in it are kept.
  std::string (*persistent_text)(const EntryList& list) = nullptr;
  std::string_view persistent_needs = {};  ///< what must be done for that file to count
};

/// All kinds, most specific first; the last one, "unknown", matches everything.
const std::vector<NodeKind>& node_kinds();
/// The kind that ReadOn holds, else recognised again.
const NodeKind& kind_of(const NodeSnapshot& snapshot);
/// Paths whose existence the kinds ask for; discover() searches for each.
const std::vector<std::string>& kind_markers();

}  // namespace kubelet_sysctl::nodes
