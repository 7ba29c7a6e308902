// SPDX-License-Identifier: Apache-2.0
// The kubelet's flags as pflag reads them, as far as they concern the list.
#include "kubelet_sysctl/kubelet/flags.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "flag_table.hpp"
#include "kubelet_sysctl/base/go_text.hpp"
#include "kubelet_sysctl/base/strings.hpp"

namespace kubelet_sysctl::kubelet {
namespace {

constexpr std::string_view kListFlag = "allowed-unsafe-sysctls";
constexpr std::string_view kOldListFlag = "experimental-allowed-unsafe-sysctls";

template <typename Table>
bool holds(const Table& table, std::string_view name) {
  return std::find(table.begin(), table.end(), name) != table.end();
}

/// True for a name that no release knows: no flag of the kubelet has more than small letters, digits
/// and hyphens in its name, and pflag takes no abbreviations, of the list's flag least of all.
bool is_no_flag(std::string_view name) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789-";
  constexpr std::string_view kShortest = "allowed";
  if (name.find_first_not_of(kLetters) != std::string_view::npos) return true;
  return name.size() < kListFlag.size() && name.starts_with(kShortest) &&
         kListFlag.starts_with(name);
}

/// Splits the first CSV record of a value as Go's encoding/csv does; a message where it refuses.
/// Source: pflag string_slice.go readAsCSV(), encoding/csv with default settings.
class CsvReader {
 public:
  CsvReader(std::string_view text, ListFlag& flag) : text_(text), flag_(flag) {}

  std::optional<std::string> run() {
    if (text_.size() == flag_.value_begin) return std::nullopt;
    std::size_t at = flag_.value_begin;
    while (at < text_.size() && line_end_at(at) > 0) at += line_end_at(at);
    if (at == text_.size()) return "EOF";
    for (;;) {
      if (at < text_.size() && text_[at] == '"') {
        if (auto fault = quoted(at)) return fault;
      } else if (auto fault = plain(at)) {
        return fault;
      }
      if (at >= text_.size()) return std::nullopt;
      const std::size_t end = line_end_at(at);
      if (end > 0) {
        flag_.lost_lines = at + end < text_.size();
        return std::nullopt;
      }
      ++at;  // the comma
    }
  }

 private:
  /// Length of the line end at `at`: "\n", "\r\n", or a "\r" that ends the text; else 0.
  std::size_t line_end_at(std::size_t at) const {
    if (text_[at] == '\n') return 1;
    if (text_[at] == '\r' && at + 1 < text_.size() && text_[at + 1] == '\n') return 2;
    if (text_[at] == '\r' && at + 1 == text_.size()) return 1;
    return 0;
  }

  std::optional<std::string> plain(std::size_t& at) {
    ListFlag::Item item{.text = {}, .begin = at, .end = at, .quoted = false};
    while (at < text_.size() && text_[at] != ',' && line_end_at(at) == 0) {
      if (text_[at] == '"') {
        return fmt::format("parse error on line 1, column {}: bare \" in non-quoted-field",
                           at - flag_.value_begin + 1);
      }
      item.text.push_back(text_[at++]);
    }
    item.end = at;
    flag_.items.push_back(std::move(item));
    return std::nullopt;
  }

  std::optional<std::string> quoted(std::size_t& at) {
    ListFlag::Item item{.text = {}, .begin = at + 1, .end = at + 1, .quoted = true};
    for (++at; at < text_.size(); ++at) {
      if (text_[at] != '"') {
        // Within quotes a value may go on over lines, and each then ends in a plain "\n".
        const bool dropped = text_[at] == '\r' && line_end_at(at) > 0;
        if (!dropped) item.text.push_back(text_[at]);
        continue;
      }
      if (at + 1 < text_.size() && text_[at + 1] == '"') {
        item.text.push_back('"');
        ++at;
        continue;
      }
      item.end = at++;
      if (at < text_.size() && text_[at] != ',' && line_end_at(at) == 0) break;
      flag_.items.push_back(std::move(item));
      return std::nullopt;
    }
    return fmt::format("parse error on line 1, column {}: extraneous or missing \" in quoted-field",
                       at - flag_.value_begin + 1);
  }

  std::string_view text_;
  ListFlag& flag_;
};

/// The flags whose last value counts here, and where it goes.
constexpr auto kFlagFields =
    std::to_array<std::pair<std::string_view, std::optional<std::string> KubeletFlags::*>>(
        {{"config", &KubeletFlags::config},
         {"config-dir", &KubeletFlags::config_dir},
         {"healthz-port", &KubeletFlags::healthz_port},
         {"healthz-bind-address", &KubeletFlags::healthz_bind_address},
         {"dynamic-config-dir", &KubeletFlags::dynamic_config_dir},
         {"lock-file", &KubeletFlags::lock_file},
         {"pod-manifest-path", &KubeletFlags::pod_manifest_path},
         {"read-only-port", &KubeletFlags::read_only_port},
         {"address", &KubeletFlags::address},
         {"hostname-override", &KubeletFlags::hostname_override}});

class Parser {
 public:
  Parser(const std::vector<std::string>& words, std::size_t first, ListName list)
      : words_(words), list_name_(list == ListName::kCurrent ? kListFlag : kOldListFlag) {
    flags_.first = first;
  }

  KubeletFlags run() {
    for (at_ = flags_.first; at_ < words_.size() && !flags_.fatal; ++at_) {
      const std::string& word = words_[at_];
      if (word == "--") {
        if (at_ + 1 < words_.size()) stray(at_ + 1);
        break;
      }
      if (word.size() < 2 || word[0] != '-') {
        stray(at_);
      } else if (word[1] == '-') {
        long_flag(word);
      } else {
        short_flags(word);
      }
    }
    if (stray_) fatal(*stray_, fmt::format("unknown command: {}", words_[*stray_]));
    return std::move(flags_);
  }

 private:
  void fatal(std::size_t word, std::string why) {
    if (flags_.fatal) return;
    flags_.fatal = std::move(why);
    flags_.fatal_word = word;
  }

  /// The kubelet inspects its arguments only after all its flags were read.
  void stray(std::size_t word) {
    if (!stray_) stray_ = word;
  }

  /// `-v` and `-h` are the only shorthands.
  void short_flags(const std::string& word) {
    if (word[1] == 'h') return note("help", "true", at_);
    if (word[1] != 'v') {
      return fatal(at_, fmt::format("unknown shorthand flag: '{}' in {}", word[1], word));
    }
    if (word.size() > 2) return note("v", word.substr(word[2] == '=' ? 3 : 2), at_);
    if (at_ + 1 == words_.size()) return fatal(at_, "flag needs an argument: 'v' in -v");
    ++at_;
    note("v", words_[at_], at_ - 1);
  }

  void long_flag(const std::string& word) {
    const std::size_t equals = word.find('=');
    std::string name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
    if (name.empty() || name[0] == '-' || name[0] == '=') {
      return fatal(at_, fmt::format("bad flag syntax: {}", word));
    }
    const std::string as_written = name;
    std::replace(name.begin(), name.end(), '_', '-');
    if (is_no_flag(name)) return fatal(at_, fmt::format("unknown flag: --{}", as_written));
    const std::size_t flag = at_;
    if (equals != std::string::npos) return set(name, flag, flag, equals + 1);
    const FlagFacts* facts = find_flag(name);
    if (facts == nullptr) return unknown(name);
    if (is_boolean(*facts)) return note(name, "true", at_);
    if (at_ + 1 == words_.size()) {
      return fatal(flag, fmt::format("flag needs an argument: {}", word));
    }
    ++at_;
    set(name, flag, at_, 0);
  }

  /// A flag of a release newer than the tables, without '='. Followed by a plain word it most likely
  /// takes it; followed by a flag or nothing it most likely is a boolean.
  void unknown(const std::string& name) {
    if (at_ + 1 == words_.size()) return note(name, {}, at_);
    const std::string& next = words_[at_ + 1];
    if (!flags_.ambiguous_word) flags_.ambiguous_word = at_;
    const bool takes = next.empty() || next[0] != '-';
    if (takes) ++at_;
    note(name, takes ? next : std::string(), takes ? at_ - 1 : at_);
  }

  /// `at_` is at the word of the value.
  void note(std::string name, std::string value, std::size_t word) {
    flags_.all.push_back({std::move(name), std::move(value), word, at_});
  }

  void set(const std::string& name, std::size_t flag, std::size_t word, std::size_t begin) {
    const std::string value = words_[word].substr(begin);
    note(name, value, flag);
    if (name == list_name_) return list(flag, word, begin);
    for (const auto& [known, field] : kFlagFields) {
      if (name == known) flags_.*field = value;
    }
  }

  void list(std::size_t flag, std::size_t word, std::size_t begin) {
    ListFlag found{
        .word = flag, .value_word = word, .value_begin = begin, .items = {}, .lost_lines = false};
    const auto fault = CsvReader(words_[word], found).run();
    if (fault) {
      fatal(word, fmt::format("invalid argument {} for \"--{}\" flag: {}",
                              go_quoted(words_[word].substr(begin)), list_name_, *fault));
    }
    flags_.lists.push_back(std::move(found));
  }

  const std::vector<std::string>& words_;
  std::string_view list_name_;
  std::size_t at_ = 0;
  std::optional<std::size_t> stray_;  // the first word that is no flag and no flag's value
  KubeletFlags flags_;
};

bool is_shell(std::string_view name) {
  constexpr auto kShells = std::to_array<std::string_view>(
      {"sh", "bash", "dash", "ash", "zsh", "busybox", "env", "systemd-run"});
  return holds(kShells, name);
}

/// True for a program that gives what it runs another root directory: the names of files in the arguments
/// are not those of the node.
bool changes_root(std::string_view name) {
  constexpr auto kPrograms = std::to_array<std::string_view>(
      {"chroot", "nsenter", "unshare", "bwrap", "systemd-nspawn", "docker", "podman", "nerdctl",
       "ctr", "rkt", "runc", "crun"});
  return holds(kPrograms, name);
}

/// True for the name of a kubelet's program: "kubelet", or a package's or a loader's name for one release
/// of it: "kubelet1.28", "kubelet-v1.30.4", "kubelet.real", ".kubelet-wrapped" (which Nix calls the program).
bool is_kubelet_name(std::string_view name) {
  constexpr std::string_view kName = "kubelet";
  constexpr auto kOthers = std::to_array<std::string_view>(
      {"real", "orig", "original", "bin", "distrib", "wrapped", "amd64", "arm64", "linux-amd64"});
  if (name.starts_with('.')) name.remove_prefix(1);
  if (!name.starts_with(kName)) return false;
  name.remove_prefix(kName.size());
  if (name.empty()) return true;
  const bool is_apart = name[0] == '.' || name[0] == '-' || name[0] == '_';
  if (is_apart) name.remove_prefix(1);
  if (is_apart && holds(kOthers, name)) return true;
  if (name.starts_with('v')) name.remove_prefix(1);
  constexpr std::string_view kRelease = "0123456789";
  return !name.empty() && kRelease.find(name[0]) != std::string_view::npos &&
         name.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz.+-_") ==
             std::string_view::npos;
}

/// The words of a kubelet behind its name.
std::vector<std::string> arguments_of(const std::vector<std::string>& words) {
  const auto start = kubelet_arguments_start(words);
  if (!start) return {};
  return {words.begin() + static_cast<std::ptrdiff_t>(*start), words.end()};
}

}  // namespace

bool is_known_flag(std::string_view name) { return find_flag(name) != nullptr; }

KubeletFlags parse_kubelet_flags(const std::vector<std::string>& words, std::size_t first,
                                 ListName list) {
  return Parser(words, first, list).run();
}

std::optional<std::size_t> kubelet_arguments_start(const std::vector<std::string>& words) {
  if (words.empty()) return std::nullopt;
  if (is_shell(base_name(words[0]))) return std::nullopt;
  for (std::size_t at = 0; at < words.size(); ++at) {
    if (changes_root(base_name(words[at]))) return std::nullopt;
    if (is_kubelet_name(base_name(words[at])) && words[at].find('=') == std::string::npos)
      return at + 1;
    // hyperkube runs the kubelet that its next word names; any other wrapper is looked through until a
    // word that is a flag, since a flag's value may end in "kubelet" by chance.
    if (at > 0 && !words[at].empty() && words[at][0] == '-') break;
  }
  return std::nullopt;
}

std::optional<std::string> missing_word(const std::vector<std::string>& wanted,
                                        const std::vector<std::string>& seen) {
  const std::vector<std::string> arguments = arguments_of(seen);
  auto at = arguments.begin();
  for (const std::string& word : arguments_of(wanted)) {
    at = std::find(at, arguments.end(), word);
    if (at == arguments.end()) return word;
    ++at;
  }
  return std::nullopt;
}

std::vector<std::string> list_of(const KubeletFlags& flags) {
  std::vector<std::string> list;
  for (const ListFlag& flag : flags.lists) {
    for (const ListFlag::Item& item : flag.items) list.push_back(item.text);
  }
  return list;
}

}  // namespace kubelet_sysctl::kubelet
