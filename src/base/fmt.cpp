// SPDX-License-Identifier: Apache-2.0
// The compiled part of fmt 9, for a static program: Debian 12 has no archive of it, and the same code from
// the headers would be compiled once for each of our files.
#include <fmt/format-inl.h>

static_assert(FMT_VERSION / 10000 == 9,
              "these are the templates that fmt 9 wants from its library");

namespace fmt::detail {

template auto thousands_sep_impl<char>(locale_ref locale) -> thousands_sep_result<char>;
template auto decimal_point_impl(locale_ref locale) -> char;
template auto locale_ref::get<std::locale>() const -> std::locale;
template auto dragonbox::to_decimal(float number) noexcept -> dragonbox::decimal_fp<float>;
template auto dragonbox::to_decimal(double number) noexcept -> dragonbox::decimal_fp<double>;

}  // namespace fmt::detail
