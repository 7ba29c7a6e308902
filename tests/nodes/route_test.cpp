// SPDX-License-Identifier: Apache-2.0
#include "kubelet_sysctl/nodes/route.hpp"

#include <gtest/gtest.h>

namespace kubelet_sysctl {
namespace {

// The words are those of records and of JSON: docs/json-schema.json.
TEST(Route, IsFoundByItsWord) {
  using nodes::Route;
  for (const Route route : {Route::kNone, Route::kArgs, Route::kConfig, Route::kConfigDir,
                            Route::kUnit, Route::kPersist}) {
    EXPECT_EQ(nodes::route_named(nodes::name_of(route)), route);
  }
  EXPECT_EQ(nodes::name_of(Route::kConfigDir), "config-dir");
  EXPECT_EQ(nodes::name_of(Route::kUnit), "unit");
  EXPECT_FALSE(nodes::route_named("Config"));
}

}  // namespace
}  // namespace kubelet_sysctl
