// SPDX-License-Identifier: Apache-2.0
// What reports and plans ask of a model: the names of its parts, the winner, the texts of a list.
#include <algorithm>
#include <array>
#include <utility>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/model/model.hpp"

namespace kubelet_sysctl::model {

const char* name_of(LayerKind kind) {
  // In the order of LayerKind.
  constexpr std::array kNames = {"config", "config-dir", "flag"};
  return kNames[static_cast<std::size_t>(kind)];
}

const char* name_of(RunningList::Evidence evidence) {
  // In the order of RunningList::Evidence.
  constexpr std::array kNames = {"argv", "config-file", "log", "configz", "none"};
  return kNames[static_cast<std::size_t>(evidence)];
}

std::string_view name_of(Configz configz) {
  constexpr std::array<std::string_view, 4> kNames = {"", "ok", "differs", "unknown"};
  return kNames[static_cast<std::size_t>(configz)];
}

const Layer* winner_of(const NodeModel& model) {
  const auto winner = std::find_if(model.layers.begin(), model.layers.end(),
                                   [](const Layer& layer) { return layer.wins; });
  return winner == model.layers.end() ? nullptr : &*winner;
}

const Entries& configured_entries(const NodeModel& model) {
  static const Entries none;
  const Layer* winner = winner_of(model);
  return winner == nullptr ? none : winner->entries;
}

Entry Entries::operator[](std::size_t index) const {
  const Place& at = places_[index];
  return {.text = texts_[index], .span = {at.begin, at.end}, .line = at.line, .place = at.place};
}

void Entries::push_back(const Entry& entry) {
  if (texts_.size() == places_.size()) texts_.push_back(entry.text);
  places_.push_back({.begin = static_cast<std::uint32_t>(entry.span.begin),
                     .end = static_cast<std::uint32_t>(entry.span.end),
                     .line = entry.line,
                     .place = entry.place});
}

void add_entry(Layer& layer, std::string_view text, const Origin& at) {
  const auto same = [&at](const Origin& place) {
    return place.source == at.source && place.kind == at.kind && place.path == at.path &&
           place.variable == at.variable;
  };
  // The entries of one file follow each other.
  if (layer.places.empty() || !same(layer.places.back())) {
    layer.places.push_back(at);
    layer.places.back().line = 0;
    layer.places.back().span = {};
  }
  layer.entries.push_back({.text = text,
                           .span = at.span,
                           .line = static_cast<std::uint32_t>(at.line),
                           .place = static_cast<std::uint32_t>(layer.places.size() - 1)});
}

Origin origin_of(const Layer& layer, const Entry& entry) {
  Origin origin = layer.places[entry.place];
  origin.line = entry.line;
  origin.span = entry.span;
  return origin;
}

Origin origin_of(const NodeModel& model, const Entry& entry) {
  const Layer* winner = winner_of(model);
  if (winner == nullptr) bug("an entry of a list that nothing sets");
  return origin_of(*winner, entry);
}

EntryList configured_texts(const NodeModel& model) { return configured_entries(model).texts(); }

bool is_configured(const NodeModel& model, const EntryList& list) {
  return configured_texts(model) == list;
}

}  // namespace kubelet_sysctl::model
