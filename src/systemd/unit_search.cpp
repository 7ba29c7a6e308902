// SPDX-License-Identifier: Apache-2.0
// Finding a unit and its drop-ins on disk, as the systemd of a given release finds them.
#include "kubelet_sysctl/systemd/unit_search.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/ports/paths.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"
#include "kubelet_sysctl/systemd/unit_file.hpp"
#include "unit_name.hpp"

namespace kubelet_sysctl::systemd {
namespace {

/// Aliases that are followed before systemd gives up. Source: src/basic/unit-file.c FOLLOW_MAX.
constexpr int kMostHops = 8;
/// Units are found by an index of names from this release on; before, the link itself was opened.
constexpr int kNamesAreIndexed = 244;
/// A linked or masked unit is reported as the link from this release on, as its target before.
constexpr int kLinkIsFragment = 249;
/// Releases that report the drop-ins of a masked unit: from 245 on, and no longer in 257.
constexpr int kMaskedShowsDropIns = 245;
constexpr int kMaskedHidesDropIns = 256;
constexpr const char* kNullDevice = "/dev/null";
constexpr std::string_view kTypeDirectory = "service.d";

struct SearchDirectory {
  std::string path;
  std::vector<ports::DirEntry> entries;
};

/// What the highest directory that knows a name says about it.
struct Indexed {
  std::string path;   ///< of the file or link that decides
  std::string alias;  ///< base name of the unit that it is an alias of; empty otherwise
  std::string link;   ///< what an alias or a linked unit points to, directories resolved
  ports::EntryKind kind = ports::EntryKind::kFile;
};
using Index = std::map<std::string, Indexed>;

/// Where the chain of aliases of a name ends.
struct Chain {
  enum class End { kUnknown, kBroken, kLoop, kFragment };
  End end = End::kUnknown;
  std::string name;  ///< of the fragment, as it is indexed
  const Indexed* found = nullptr;
  const Indexed* detour = nullptr;  ///< an alias whose base name led elsewhere than its link
};

bool is_below(std::string_view path, std::string_view directory) {
  return path.size() > directory.size() && path.starts_with(directory) &&
         path[directory.size()] == '/';
}

/// Source: src/basic/unit-file.c unit_validate_alias_symlink_and_warn().
bool is_valid_alias(const std::string& alias, const std::string& target) {
  const UnitName from = parse_unit_name(alias);
  const UnitName to = parse_unit_name(target);
  if (to.type == UnitNameType::kInvalid) return false;
  if (from.type == UnitNameType::kInstance && to.type == UnitNameType::kTemplate) return true;
  return from.type == to.type && from.instance == to.instance;
}

/// Finds one unit; a class because files, release and what was read go through every step.
class Search {
 public:
  Search(ports::FileSystem& files, int version, std::vector<SourceFile>& read)
      : files_(files), version_(version), read_(read) {}

  Result<UnitOnDisk> run(const std::string& name) {
    unit_.name = name;
    unit_.id = name;
    unit_.names = {name};
    wanted_ = parse_unit_name(name);
    if (wanted_.type == UnitNameType::kInvalid) return std::move(unit_);
    Status status = list_directories();
    if (status) status = build_index();
    if (status) status = find_fragment();
    if (!status) return std::move(status).error();
    return std::move(unit_);
  }

 private:
  Status list_directories();
  Status build_index();
  Status index_link(const SearchDirectory& directory, const ports::DirEntry& entry);
  [[nodiscard]] Chain follow(const std::string& name) const;
  [[nodiscard]] bool is_in_search_path(std::string_view path) const;
  Status find_fragment();
  Status load(const Chain& chain);
  Result<bool> is_masked(const Indexed& found, const ports::PathEnd& target);
  Status collect_names(const std::string& fragment_name);
  Status find_drop_ins();
  Status list_drop_ins(const std::string& owner, const std::vector<std::string>& names);
  Status take_drop_in(const std::string& path, const ports::DirEntry& entry,
                      const std::string& owner, bool wide);
  Status read_drop_ins();

  struct DropIn {
    std::string path;
    std::string owner;  // the name of the unit whose directory it is in
    ports::EntryKind kind = ports::EntryKind::kFile;
    bool wide = false;       // in a directory that releases before 245 do not know
    bool contested = false;  // an alias has a drop-in of the same name
  };

  ports::FileSystem& files_;
  int version_;
  std::vector<SourceFile>& read_;
  UnitOnDisk unit_;
  UnitName wanted_;
  std::vector<SearchDirectory> directories_;
  Index index_;
  std::map<std::string, std::string> real_parents_;  // of links, with their last slash
  std::map<std::string, DropIn> winners_;            // by base name; the order of application
  std::vector<std::string> real_directories_;        // those of the search path, links followed
  std::set<std::string> listed_;                     // real paths of drop-in directories
};

Status Search::list_directories() {
  std::set<std::string> seen;
  for (const std::string& path : unit_search_path(version_)) {
    auto real = files_.real_path(path);
    if (!real) return std::move(real).error();
    // /lib and /usr/lib are one directory on a merged /usr: the first name is the one reported.
    if (!seen.insert(*real).second) continue;
    real_directories_.push_back(*real);
    auto entries = files_.list(path);
    if (!entries) return std::move(entries).error();
    directories_.push_back({path, std::move(*entries)});
  }
  return {};
}

bool Search::is_in_search_path(std::string_view path) const {
  const std::vector<std::string> all = unit_search_path(version_);
  const auto holds = [path](const std::string& directory) { return is_below(path, directory); };
  // One that is itself a link, as on NixOS and ostree, holds what its target holds.
  return std::any_of(all.begin(), all.end(), holds) ||
         std::any_of(real_directories_.begin(), real_directories_.end(), holds);
}

Status Search::build_index() {
  for (const SearchDirectory& directory : directories_) {
    for (const ports::DirEntry& entry : directory.entries) {
      if (parse_unit_name(entry.name).type == UnitNameType::kInvalid) continue;
      if (index_.contains(entry.name)) continue;
      if (entry.kind == ports::EntryKind::kSymlink) {
        const Status status = index_link(directory, entry);
        if (!status) return status;
      } else if (entry.kind != ports::EntryKind::kDirectory || version_ < kOldestResolved) {
        index_[entry.name] = {
            .path = directory.path + "/" + entry.name, .alias = {}, .link = {}, .kind = entry.kind};
      }
    }
  }
  return {};
}

Status Search::index_link(const SearchDirectory& directory, const ports::DirEntry& entry) {
  Indexed found{.path = directory.path + "/" + entry.name,
                .alias = {},
                .link = {},
                .kind = ports::EntryKind::kSymlink};
  const bool absolute = entry.target.starts_with('/');
  const std::string path = absolute ? entry.target : directory.path + "/" + entry.target;
  // Dozens of links lead into the same few directories.
  const std::string parent = path.substr(0, path.rfind('/') + 1);
  const std::string last = path.substr(parent.size());
  const bool plain = !last.empty() && last != "." && last != "..";
  const auto known = real_parents_.find(parent);
  if (plain && known != real_parents_.end()) {
    found.link = known->second + last;
  } else {
    auto link = ports::with_real_directory(files_, path);
    if (!link) return std::move(link).error();
    if (plain) real_parents_[parent] = link->substr(0, link->rfind('/') + 1);
    found.link = std::move(*link);
  }
  if (is_in_search_path(found.link)) {
    const std::string target(base_name(found.link));
    // An alias of itself, or of a unit of another type, is skipped: lower directories still count.
    if (target == entry.name || !is_valid_alias(entry.name, target)) return {};
    found.alias = target;
  }
  index_[entry.name] = std::move(found);
  return {};
}

/// Source: src/basic/unit-file.c unit_ids_map_get().
Chain Search::follow(const std::string& name) const {
  Chain chain;
  std::string id = name;
  for (int hop = 0; hop < kMostHops; ++hop) {
    auto at = index_.find(id);
    if (at == index_.end() && hop > 0) {
      const UnitName parsed = parse_unit_name(id);
      // A link to an instance may mean its template.
      if (parsed.type == UnitNameType::kInstance) at = index_.find(template_of(parsed));
    }
    if (at == index_.end()) {
      chain.end = hop == 0 ? Chain::End::kUnknown : Chain::End::kBroken;
      return chain;
    }
    if (chain.found != nullptr && chain.found->link != at->second.path) chain.detour = chain.found;
    chain.name = at->first;
    chain.found = &at->second;
    if (at->second.alias.empty()) {
      chain.end = Chain::End::kFragment;
      return chain;
    }
    id = at->second.alias;
  }
  chain.end = Chain::End::kLoop;
  return chain;
}

Status Search::find_fragment() {
  Chain chain = follow(unit_.name);
  const bool nothing = chain.end == Chain::End::kUnknown || chain.end == Chain::End::kBroken;
  if (nothing && wanted_.type == UnitNameType::kInstance) chain = follow(template_of(wanted_));
  if (chain.end == Chain::End::kLoop) unit_.load = UnitLoad::kBroken;
  if (chain.end != Chain::End::kFragment) return {};
  if (chain.detour != nullptr && version_ < kNamesAreIndexed) {
    auto by_link = files_.real_path(chain.detour->link);
    if (!by_link) return std::move(by_link).error();
    auto by_name = files_.real_path(chain.found->path);
    if (!by_name) return std::move(by_name).error();
    if (*by_link != *by_name) {
      return Error{.kind = ErrorKind::kUnsupported,
                   .message = fmt::format("will not follow this alias: systemd {} opens '{}', "
                                          "later releases '{}'",
                                          version_, chain.detour->link, chain.found->path),
                   .path = chain.detour->path};
    }
  }
  return load(chain);
}

Status Search::load(const Chain& chain) {
  const Indexed& found = *chain.found;
  auto target = ports::target_of(files_, found.path);
  if (!target) return std::move(target).error();
  auto masked = is_masked(found, *target);
  if (!masked) return std::move(masked).error();
  const bool by_target = found.kind == ports::EntryKind::kSymlink && version_ < kLinkIsFragment;
  unit_.fragment_path = by_target ? target->path : found.path;
  if (*masked) {
    unit_.load = UnitLoad::kMasked;
    const bool shown = version_ >= kMaskedShowsDropIns && version_ < kMaskedHidesDropIns;
    return shown ? find_drop_ins() : Status();
  }
  auto source = ports::add_file(files_, unit_.fragment_path, read_);
  if (!source) return std::move(source).error();
  if (!target->entry) {
    // A dangling link hides a good unit in a lower directory.
    unit_.fragment_path.clear();
    return {};
  }
  unit_.load =
      target->entry->kind == ports::EntryKind::kFile ? UnitLoad::kLoaded : UnitLoad::kBroken;
  unit_.fragment = *source;
  const Status named = collect_names(by_target ? std::string(base_name(target->path)) : chain.name);
  return named ? find_drop_ins() : named;
}

/// Source: src/basic/stat-util.c null_or_empty(): an empty file or a device.
Result<bool> Search::is_masked(const Indexed& found, const ports::PathEnd& target) {
  if (target.path == kNullDevice) return true;
  if (!target.entry) return false;
  if (target.entry->kind == ports::EntryKind::kFifo) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .message = "will not read this unit: it is a pipe, and opening it would block",
                 .path = found.path};
  }
  return target.entry->kind == ports::EntryKind::kOther ||
         (target.entry->kind == ports::EntryKind::kFile && target.entry->size == 0);
}

/// The id first, then the other names in byte order.
Status Search::collect_names(const std::string& fragment_name) {
  const UnitName fragment = parse_unit_name(fragment_name);
  if (fragment.type != UnitNameType::kInvalid) {
    unit_.id = fragment.type == UnitNameType::kTemplate ? with_instance(fragment, wanted_.instance)
                                                        : fragment_name;
  }
  std::set<std::string> names = {unit_.name};
  for (const auto& [name, indexed] : index_) {
    const UnitName parsed = parse_unit_name(name);
    std::string own = name;
    if (parsed.type == UnitNameType::kTemplate) {
      if (wanted_.type != UnitNameType::kInstance) continue;
      own = with_instance(parsed, wanted_.instance);
      // An instance with a file of its own may lead elsewhere than its template.
      if (index_.contains(own) || fragment.type == UnitNameType::kInstance) continue;
    }
    const Chain chain = follow(name);
    if (chain.end != Chain::End::kFragment) continue;
    const UnitName end = parse_unit_name(chain.name);
    const bool instance = end.type == UnitNameType::kTemplate;
    if ((instance ? with_instance(end, parse_unit_name(own).instance) : chain.name) == unit_.id) {
      names.insert(own);
    }
  }
  names.erase(unit_.id);
  unit_.names = {unit_.id};
  unit_.names.insert(unit_.names.end(), names.begin(), names.end());
  return {};
}

/// All directories of the id, then those of each alias, then those of every service. Source:
/// src/shared/dropin.c unit_file_find_dropin_paths().
Status Search::find_drop_ins() {
  for (const std::string& name : unit_.names) {
    const Status status = list_drop_ins(name, drop_in_directories(name));
    if (!status) return status;
  }
  const Status status = list_drop_ins("", {std::string(kTypeDirectory)});
  return status ? read_drop_ins() : status;
}

Status Search::list_drop_ins(const std::string& owner, const std::vector<std::string>& names) {
  std::set<std::string> own = {unit_.id + ".d"};
  if (wanted_.type == UnitNameType::kInstance) own.insert(template_of(wanted_) + ".d");
  for (const SearchDirectory& directory : directories_) {
    for (const std::string& name : names) {
      const auto& all = directory.entries;
      if (std::none_of(all.begin(), all.end(),
                       [&name](const ports::DirEntry& entry) { return entry.name == name; })) {
        continue;
      }
      auto real = files_.real_path(directory.path + "/" + name);
      if (!real) return std::move(real).error();
      if (!listed_.insert(*real).second) continue;
      auto entries = files_.list(*real);
      if (!entries) return std::move(entries).error();
      for (const ports::DirEntry& entry : *entries) {
        if (!is_drop_in_name(entry.name)) continue;
        const Status status =
            take_drop_in(*real + "/" + entry.name, entry, owner, !own.contains(name));
        if (!status) return status;
      }
    }
  }
  return {};
}

Status Search::take_drop_in(const std::string& path, const ports::DirEntry& entry,
                            const std::string& owner, bool wide) {
  const auto [at, first] = winners_.try_emplace(
      entry.name, DropIn{.path = path, .owner = owner, .kind = entry.kind, .wide = wide});
  if (first || at->second.owner == owner || owner.empty()) return {};
  at->second.contested = true;
  if (at->second.owner == unit_.id) return {};
  return Error{
      .kind = ErrorKind::kUnsupported,
      .message = fmt::format("cannot determine whether this file or '{}' is in force: systemd "
                             "reads the drop-ins of two aliases in no fixed order",
                             path),
      .path = at->second.path};
}

Status Search::read_drop_ins() {
  for (const auto& [name, drop_in] : winners_) {
    auto target = ports::target_of(files_, drop_in.path);
    if (!target) return std::move(target).error();
    if (target->entry && target->entry->kind == ports::EntryKind::kFifo) {
      return Error{
          .kind = ErrorKind::kUnsupported,
          .message = "will not read this drop-in: it is a pipe, and opening it would block",
          .path = drop_in.path};
    }
    // A link that leads to itself is as good as one that leads nowhere; reading it would fail.
    if (!target->entry && target->through_link) {
      auto end = files_.stat(target->path);
      if (!end) return std::move(end).error();
      if (*end) continue;
    }
    // Empty, a directory, dangling or /dev/null: it hides the others and is reported all the same.
    auto source = ports::add_file(files_, drop_in.path, read_);
    if (!source) return std::move(source).error();
    unit_.drop_ins.push_back(*source);
    const CharOrigin at{.source = *source, .begin = 0, .end = 0};
    if (drop_in.wide) unit_.forms.push_back({Form::kWideDropIn, at});
    if (drop_in.contested) unit_.forms.push_back({Form::kAliasDropIn, at});
    if (drop_in.kind == ports::EntryKind::kDirectory) unit_.forms.push_back({Form::kOddDropIn, at});
  }
  return {};
}

}  // namespace

Result<UnitOnDisk> find_unit(ports::FileSystem& files, const std::string& name, int version,
                             std::vector<SourceFile>& read) {
  return Search(files, version, read).run(name);
}

}  // namespace kubelet_sysctl::systemd
