# SPDX-License-Identifier: Apache-2.0
# Our warnings, for our targets only. They are errors where a preset says so, never for a packager.

function(kubelet_sysctl_warnings target)
  target_compile_options(
    ${target}
    PRIVATE -Wall
            -Wextra
            -Wpedantic
            -Wshadow
            -Wconversion
            -Wsign-conversion
            -Wnon-virtual-dtor
            -Woverloaded-virtual
            -Wcast-qual
            -Wold-style-cast
            -Wformat=2
            $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond>
            $<$<CXX_COMPILER_ID:GNU>:-Wlogical-op>)
  if(KUBELET_SYSCTL_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()
