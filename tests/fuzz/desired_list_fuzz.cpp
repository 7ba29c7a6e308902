// SPDX-License-Identifier: Apache-2.0
// Fuzz target of the reader of desired lists: no input crashes it, every entry knows its place, an error
// names a line of the file, a list that is written again reads the same, and so it does with other line ends.
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/desired/desired_list.hpp"
#include "kubelet_sysctl/sysctl/pattern.hpp"
#include "rules.hpp"

using kubelet_sysctl::desired::DesiredEntry;
using kubelet_sysctl::desired::DesiredList;
using kubelet_sysctl::fuzz::expect;

namespace {

kubelet_sysctl::Result<kubelet_sysctl::desired::DesiredList> parsed(std::string bytes) {
  kubelet_sysctl::SourceFile file;
  file.path = file.real_path = kubelet_sysctl::desired::kDesiredFile;
  file.kind = kubelet_sysctl::FileKind::kRegular;
  file.bytes = std::move(bytes);
  return kubelet_sysctl::desired::parse_desired_list({&file});
}

void check_entry(std::string_view text, const kubelet_sysctl::desired::DesiredEntry& wish) {
  expect(wish.at.end <= text.size() && text.substr(wish.at.begin, wish.at.size()) == wish.entry,
         "an entry is where it is said to");
  expect(kubelet_sysctl::line_column(text, wish.at.begin).line == wish.line,
         "an entry is in its line");
  expect(static_cast<bool>(kubelet_sysctl::sysctl::SysctlPattern::parse(wish.entry)),
         "an entry is spelt like one");
  expect(wish.expires.empty() == !wish.expires_at_ms.has_value(), "a date is a moment");
  expect(wish.expires.empty() ||
             kubelet_sysctl::desired::expiry_of(wish.expires) == wish.expires_at_ms,
         "the moment is that of the date");
}

std::string quoted(std::string_view value) {
  std::string out = "\"";
  for (const char byte : value) {
    if (byte == '"' || byte == '\\') out += '\\';
    out += byte;
  }
  return out + '"';
}

std::string written(const kubelet_sysctl::desired::DesiredList& list) {
  std::string out =
      fmt::format("mode={}\nexpired = {} # one\n", kubelet_sysctl::desired::name_of(list.mode),
                  list.drop_expired ? "drop" : "keep");
  for (const kubelet_sysctl::desired::DesiredEntry& wish : list.entries) {
    out += wish.entry;
    if (!wish.owner.empty()) out += " owner=" + quoted(wish.owner);
    if (!wish.expires.empty()) out += "\texpires=" + quoted(wish.expires);
    if (!wish.reason.empty()) out += "  reason=" + quoted(wish.reason);
    out += '\n';
  }
  return out;
}

void expect_same(const kubelet_sysctl::desired::DesiredList& a,
                 const kubelet_sysctl::Result<kubelet_sysctl::desired::DesiredList>& b,
                 const char* what) {
  expect(static_cast<bool>(b), what);
  expect(a.mode == b->mode && a.drop_expired == b->drop_expired, what);
  expect(a.entries.size() == b->entries.size(), what);
  for (std::size_t i = 0; i < a.entries.size(); ++i) {
    const kubelet_sysctl::desired::DesiredEntry& one = a.entries[i];
    const kubelet_sysctl::desired::DesiredEntry& other = b->entries[i];
    expect(one.entry == other.entry && one.owner == other.owner && one.reason == other.reason &&
               one.expires_at_ms == other.expires_at_ms,
           what);
  }
}

/// CRLF in place of LF, with a byte order mark.
std::string of_windows(std::string_view text) {
  std::string out = "\xef\xbb\xbf";
  for (const char byte : text) {
    if (byte == '\n') out += '\r';
    out += byte;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto list = parsed(text);
  if (!list) {
    const kubelet_sysctl::Error& error = list.error();
    expect(
        error.path == kubelet_sysctl::desired::kDesiredFile && error.line > 0 && error.column > 0,
        "an error has a place");
    expect(!error.message.empty(), "an error says what");
    return 0;
  }
  for (const kubelet_sysctl::desired::DesiredEntry& wish : list->entries) check_entry(text, wish);
  expect_same(*list, parsed(written(*list)), "a list that is written again reads the same");
  // With \r before a line end already, another one would be a control character.
  if (text.find('\r') == std::string::npos && !text.starts_with("\xef\xbb\xbf")) {
    expect_same(*list, parsed(of_windows(text)), "other line ends are no other list");
  }
  constexpr std::int64_t kNow = 1'800'000'000'000;
  const auto lasting = kubelet_sysctl::desired::effective_entries(*list);
  expect(lasting.size() == list->entries.size(), "one file names an entry once");
  for (const kubelet_sysctl::desired::DesiredEntry* one :
       kubelet_sysctl::desired::expired_entries(*list, kNow)) {
    expect(kubelet_sysctl::desired::is_expired(*one, kNow), "what is reported as expired is");
  }
  return 0;
}
