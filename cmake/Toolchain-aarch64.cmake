# SPDX-License-Identifier: Apache-2.0
# A static program for arm64, built elsewhere: Debian's cross compiler (g++-aarch64-linux-gnu), and the
# libraries that scripts/arm64-libraries.sh fetches. Libraries that are headers alone are the machine's.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

set(KUBELET_SYSCTL_ARM64_LIBRARIES
    ${CMAKE_CURRENT_LIST_DIR}/../build/arm64-libraries
    CACHE PATH "Where scripts/arm64-libraries.sh put the libraries for arm64")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES KUBELET_SYSCTL_ARM64_LIBRARIES)
cmake_path(ABSOLUTE_PATH KUBELET_SYSCTL_ARM64_LIBRARIES NORMALIZE)
list(PREPEND CMAKE_PREFIX_PATH ${KUBELET_SYSCTL_ARM64_LIBRARIES}/usr)

# The program that is made runs here only under an emulator.
find_program(KUBELET_SYSCTL_QEMU qemu-aarch64-static)
if(KUBELET_SYSCTL_QEMU)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${KUBELET_SYSCTL_QEMU})
endif()
