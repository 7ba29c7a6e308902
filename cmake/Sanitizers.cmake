# SPDX-License-Identifier: Apache-2.0
# Builds a target with the sanitizers that KUBELET_SYSCTL_SANITIZE names, "address,undefined" say.

function(kubelet_sysctl_sanitize target)
  set(sanitizers ${KUBELET_SYSCTL_SANITIZE})
  if(KUBELET_SYSCTL_FUZZ)
    # The coverage that libFuzzer steers by, in every target; its main() only in the fuzz targets.
    list(APPEND sanitizers fuzzer-no-link)
  endif()
  if(NOT sanitizers)
    return()
  endif()
  list(JOIN sanitizers "," sanitizers)
  # The first report ends the process: a test that prints one and passes would prove nothing.
  target_compile_options(${target} PRIVATE -fsanitize=${sanitizers} -fno-sanitize-recover=all
                                           -fno-omit-frame-pointer)
  target_link_options(${target} PRIVATE -fsanitize=${sanitizers})
endfunction()
