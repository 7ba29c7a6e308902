# SPDX-License-Identifier: Apache-2.0
# What makes a fault in a program that runs as root harder to use. tests/packages/hardening.sh reads it out of the
# program and its objects.
include(CheckCXXCompilerFlag)

# A sanitizer has its own checks, and fortified functions in its way.
function(kubelet_sysctl_harden target)
  if(KUBELET_SYSCTL_SANITIZE)
    return()
  endif()
  # Branch protection of the processor: x86-64, then arm64.
  foreach(flag IN ITEMS -fPIE -fstack-protector-strong -fstack-clash-protection -fcf-protection
                        -mbranch-protection=standard)
    string(MAKE_C_IDENTIFIER "KUBELET_SYSCTL_HAS${flag}" has)
    check_cxx_compiler_flag(${flag} ${has})
    if(${has})
      target_compile_options(${target} PRIVATE ${flag})
    endif()
  endforeach()
  target_compile_definitions(${target} PRIVATE _GLIBCXX_ASSERTIONS)
  # Fortified functions need the optimiser; a distribution that sets a level of its own keeps it.
  if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT CMAKE_CXX_FLAGS MATCHES "_FORTIFY_SOURCE"
     AND NOT CMAKE_CXX_FLAGS_RELEASE MATCHES "_FORTIFY_SOURCE")
    target_compile_definitions(${target} PRIVATE _FORTIFY_SOURCE=2)
  endif()
  target_link_options(${target} PRIVATE -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
endfunction()
