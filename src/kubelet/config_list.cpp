// SPDX-License-Identifier: Apache-2.0
// The list in the tree of a configuration, the key as a user misspelt it, and the health endpoint.
#include <algorithm>
#include <charconv>
#include <utility>

#include "config_reading.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/kubelet/config.hpp"
#include "kubelet_sysctl/kubelet/config_merge.hpp"
#include "kubelet_sysctl/yaml/events.hpp"

namespace kubelet_sysctl::kubelet {
namespace {

/// "allowed-unsafe-sysctls", "AllowedUnsafeSysctl" and the like, but not the key itself.
bool is_misspelt(std::string_view key) {
  constexpr std::string_view kPlain = "allowedunsafesysctls";
  if (key == kListKey || key.size() > 2 * kPlain.size()) return false;
  std::string plain;
  for (const char byte : key) {
    if (byte == '-' || byte == '_') continue;
    plain += byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
  }
  return plain == kPlain || plain == kPlain.substr(0, kPlain.size() - 1);
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

/// An empty item has no bytes, and its mark is near: find the dash before it.
Span null_item_span(std::string_view bytes, std::size_t mark) {
  for (std::size_t end = mark;;) {
    const std::size_t begin = yaml::line_begin_at(bytes, end);
    const std::string_view line = bytes.substr(begin, end - begin);
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first != std::string_view::npos && line[first] == '-') {
      return {begin + first + 1, begin + first + 1};
    }
    if ((first != std::string_view::npos && line[first] != '#') || begin == 0) return {mark, mark};
    end = begin - 1;
  }
}

}  // namespace

Span item_span(std::string_view bytes, const yaml::Tree& tree, const yaml::Event& event) {
  if (tree.format == yaml::ConfigFormat::kJson) return event.at;
  bool simple = false;
  const Span span = yaml::yaml_scalar_span(bytes, event, simple);
  if (event.kind == yaml::EventKind::kNull && !simple) return null_item_span(bytes, event.at.begin);
  return span;
}

namespace {

class Filler {
 public:
  Filler(std::string_view bytes, Reading& reading, ConfigRole role)
      : bytes_(bytes),
        reading_(reading),
        events_(reading.tree.events),
        anchors_(reading.tree.events),
        role_(role) {}

  void fill() {
    std::map<std::string, std::size_t>
        spellings;  // of the list's key, with the last member of each
    std::size_t mentions = 0;
    for (std::size_t i = 0; i < reading_.members.size(); ++i) {
      const Member& member = reading_.members[i];
      const yaml::Event& key = events_[member.key];
      if (key.kind != yaml::EventKind::kScalar) continue;
      if (key.text == kListKey && !member.merged) ++mentions;
      if (is_field(key.text, kListKey)) spellings[std::string(key.text)] = i;
      const yaml::Event& value = events_[member.value];
      if (is_field(key.text, "healthzPort"))
        take_port(std::string(key.text), value, reading_.healthz_ports);
      if (is_field(key.text, "port")) take_port(std::string(key.text), value, reading_.ports);
      if (is_field(key.text, "healthzBindAddress")) take_address(std::string(key.text), value);
      const bool spelt_otherwise = key.text != kListKey && is_field(key.text, kListKey);
      if (spelt_otherwise || is_misspelt(key.text)) {
        reading_.file.misspelt.push_back(
            {std::string(key.text), key_span(member), texts_of(member.value)});
      }
    }
    reading_.file.repeated_key = mentions > 1;
    for (const auto& [key, member] : spellings) take_list(key, member);
    const auto port = reading_.healthz_ports.find("healthzPort");
    if (port != reading_.healthz_ports.end()) reading_.file.healthz_port = port->second;
    const auto address = reading_.healthz_addresses.find("healthzBindAddress");
    if (address != reading_.healthz_addresses.end()) {
      reading_.file.healthz_bind_address = address->second;
    }
  }

 private:
  /// The merged text of drop-ins is read without regard to case. Source: Go encoding/json Unmarshal.
  [[nodiscard]] bool is_field(std::string_view key, std::string_view field) const {
    return role_ == ConfigRole::kMain ? key == field : is_same_field(key, field);
  }

  [[nodiscard]] Span key_span(const Member& member) const {
    return item_span(bytes_, reading_.tree, events_[member.key]);
  }

  static void take_port(const std::string& key, const yaml::Event& value,
                        std::map<std::string, int>& ports) {
    ports.erase(key);
    if (value.kind != yaml::EventKind::kScalar || value.quoted) return;
    int port = 0;
    const char* end = value.text.data() + value.text.size();
    const auto [stop, error] = std::from_chars(value.text.data(), end, port);
    if (error == std::errc() && stop == end) ports[key] = port;
  }

  void take_address(const std::string& key, const yaml::Event& value) {
    reading_.healthz_addresses.erase(key);
    if (value.kind == yaml::EventKind::kScalar && yaml::is_string(value)) {
      reading_.healthz_addresses[key] = value.text;
    }
  }

  /// The spelling that sorts last decides within the file, unless it takes itself away with a null.
  void take_list(const std::string& key, std::size_t index) {
    const Member& member = reading_.members[index];
    ListSetting setting{.key = key, .key_at = key_span(member), .entries = {}};
    fill_setting(member, setting);
    KubeletConfigFile& file = reading_.file;
    if (reading_.list == yaml::kNone || setting.form != ListForm::kUnset) {
      reading_.list = index;
      file.key_at = setting.key_at;
      file.form = setting.form;
      put_back_entries();
      file.entries = std::move(setting.entries);
      reading_.deciding = reading_.settings.size();
    }
    reading_.settings.push_back(std::move(setting));
  }

  /// A later spelling decides instead.
  void put_back_entries() {
    if (reading_.deciding == yaml::kNone) return;
    reading_.settings[reading_.deciding].entries = std::move(reading_.file.entries);
  }

  void fill_setting(const Member& member, ListSetting& setting) const {
    const yaml::Event& value = events_[member.value];
    if (value.kind == yaml::EventKind::kNull) {
      setting.form = ListForm::kUnset;
    } else if (value.kind != yaml::EventKind::kSequenceStart) {
      setting.form = ListForm::kWrong;
    } else {
      setting.form = value.flow ? ListForm::kFlow : ListForm::kBlock;
      const std::size_t end = yaml::node_end(events_, member.value);
      std::size_t bytes = 0;
      for (std::size_t at = member.value; at < end; ++at) bytes += events_[at].text.size();
      setting.entries.reserve(end - member.value - 2, bytes);
      for (std::size_t item = member.value + 1; events_[item].kind != yaml::EventKind::kSequenceEnd;
           item = yaml::node_end(events_, item)) {
        const yaml::Event& meant = events_[anchors_.resolved(item)];
        const bool scalar = meant.kind == yaml::EventKind::kScalar;
        const bool string =
            meant.kind == yaml::EventKind::kNull || (scalar && yaml::is_string(meant));
        setting.entries.push_back({.text = scalar ? meant.text : std::string_view(),
                                   .at = item_span(bytes_, reading_.tree, events_[item]),
                                   .is_string = string});
      }
    }
  }

  [[nodiscard]] std::vector<std::string> texts_of(std::size_t value) const {
    std::vector<std::string> texts;
    if (events_[value].kind == yaml::EventKind::kScalar) {
      std::string_view rest = events_[value].text;
      while (!rest.empty()) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        if (const auto text = trimmed(rest.substr(0, comma)); !text.empty()) {
          texts.emplace_back(text);
        }
        rest.remove_prefix(std::min(comma + 1, rest.size()));
      }
    } else if (events_[value].kind == yaml::EventKind::kSequenceStart) {
      for (std::size_t item = value + 1; events_[item].kind != yaml::EventKind::kSequenceEnd;
           item = yaml::node_end(events_, item)) {
        const yaml::Event& meant = events_[anchors_.resolved(item)];
        if (meant.kind == yaml::EventKind::kScalar) texts.emplace_back(meant.text);
      }
    }
    return texts;
  }

  std::string_view bytes_;
  Reading& reading_;
  const yaml::Events& events_;
  yaml::Anchors anchors_;
  ConfigRole role_;
};

}  // namespace

void fill_list(std::string_view bytes, Reading& reading, ConfigRole role) {
  Filler(bytes, reading, role).fill();
}

}  // namespace kubelet_sysctl::kubelet
