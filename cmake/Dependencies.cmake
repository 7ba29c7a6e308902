# SPDX-License-Identifier: Apache-2.0
# Finds the libraries that kubelet-sysctl uses. Nothing is downloaded.

# kubelet_sysctl_find(PACKAGE DEBIAN_PACKAGE): find_package, and on failure the words that help.
function(kubelet_sysctl_find package debian_package)
  find_package(${package} CONFIG QUIET GLOBAL)
  if(NOT ${package}_FOUND)
    list(APPEND KUBELET_SYSCTL_MISSING ${debian_package})
    set(KUBELET_SYSCTL_MISSING "${KUBELET_SYSCTL_MISSING}" PARENT_SCOPE)
  endif()
endfunction()

set(KUBELET_SYSCTL_MISSING "")
kubelet_sysctl_find(CLI11 libcli11-dev)
kubelet_sysctl_find(fmt libfmt-dev)
kubelet_sysctl_find(spdlog libspdlog-dev)
kubelet_sysctl_find(nlohmann_json nlohmann-json3-dev)
# libyaml has no CMake files of its own. The static program asks for the archive, which the same package
# installs.
if(KUBELET_SYSCTL_STATIC)
  find_library(KUBELET_SYSCTL_YAML_LIBRARY libyaml.a)
else()
  find_library(KUBELET_SYSCTL_YAML_LIBRARY yaml)
endif()
find_path(KUBELET_SYSCTL_YAML_INCLUDE yaml.h)
if(NOT KUBELET_SYSCTL_YAML_LIBRARY OR NOT KUBELET_SYSCTL_YAML_INCLUDE)
  list(APPEND KUBELET_SYSCTL_MISSING libyaml-dev)
endif()
if(KUBELET_SYSCTL_TESTS)
  kubelet_sysctl_find(GTest libgtest-dev)
  if(NOT TARGET GTest::gmock)
    list(APPEND KUBELET_SYSCTL_MISSING libgmock-dev)
  endif()
endif()
if(KUBELET_SYSCTL_MISSING)
  list(JOIN KUBELET_SYSCTL_MISSING " " missing)
  message(FATAL_ERROR "libraries are missing. On Debian and Ubuntu:\n"
                      "  apt-get install ${missing}\n"
                      "or everything at once: scripts/packages.sh test")
endif()

# The kubelet's reader of YAML is a port of libyaml.
add_library(kubelet_sysctl_libyaml INTERFACE)
target_link_libraries(kubelet_sysctl_libyaml INTERFACE ${KUBELET_SYSCTL_YAML_LIBRARY})
target_include_directories(kubelet_sysctl_libyaml SYSTEM INTERFACE ${KUBELET_SYSCTL_YAML_INCLUDE})

# A static program takes the archive of fmt where the distribution has one; Debian 12 has none: src/base/fmt.cpp
# compiles the same code from the headers of fmt 9.
add_library(kubelet_sysctl_fmt INTERFACE)
find_library(KUBELET_SYSCTL_FMT_ARCHIVE libfmt.a)
if(NOT KUBELET_SYSCTL_STATIC)
  target_link_libraries(kubelet_sysctl_fmt INTERFACE fmt::fmt)
elseif(KUBELET_SYSCTL_FMT_ARCHIVE)
  target_link_libraries(kubelet_sysctl_fmt INTERFACE ${KUBELET_SYSCTL_FMT_ARCHIVE})
elseif(fmt_VERSION VERSION_LESS 10)
  add_library(kubelet_sysctl_fmt_compiled STATIC ${PROJECT_SOURCE_DIR}/src/base/fmt.cpp)
  target_compile_features(kubelet_sysctl_fmt_compiled PUBLIC cxx_std_20)
  target_compile_options(kubelet_sysctl_fmt_compiled PRIVATE -ffunction-sections -fdata-sections)
  target_link_libraries(kubelet_sysctl_fmt INTERFACE kubelet_sysctl_fmt_compiled)
else()
  target_link_libraries(kubelet_sysctl_fmt INTERFACE fmt::fmt-header-only)
endif()

# spdlog's own targets link the shared fmt, or compile a copy of it: take the headers alone.
add_library(kubelet_sysctl_spdlog INTERFACE)
target_compile_definitions(kubelet_sysctl_spdlog INTERFACE SPDLOG_FMT_EXTERNAL)
target_include_directories(
  kubelet_sysctl_spdlog SYSTEM
  INTERFACE $<TARGET_PROPERTY:spdlog::spdlog_header_only,INTERFACE_INCLUDE_DIRECTORIES>)
target_link_libraries(kubelet_sysctl_spdlog INTERFACE kubelet_sysctl_fmt)
