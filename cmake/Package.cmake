# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts where, and the DEB, RPM and TGZ that `cpack` makes of it.

if(TARGET kubelet-sysctl)
  install(TARGETS kubelet-sysctl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

# kubelet_sysctl_install_file(FILE DESTINATION [NAME]): installs a file of the tree if it is there.
function(kubelet_sysctl_install_file file destination)
  if(NOT EXISTS ${PROJECT_SOURCE_DIR}/${file})
    return()
  endif()
  set(rename "")
  if(ARGN)
    set(rename RENAME ${ARGN})
  endif()
  install(FILES ${PROJECT_SOURCE_DIR}/${file} DESTINATION ${destination} ${rename})
endfunction()

kubelet_sysctl_install_file(docs/kubelet-sysctl.8 ${CMAKE_INSTALL_MANDIR}/man8)
kubelet_sysctl_install_file(docs/kubelet-sysctl.bash
                            ${CMAKE_INSTALL_DATADIR}/bash-completion/completions kubelet-sysctl)
kubelet_sysctl_install_file(README.md ${CMAKE_INSTALL_DOCDIR})
kubelet_sysctl_install_file(LICENSE ${CMAKE_INSTALL_DOCDIR})

set(CPACK_PACKAGE_NAME kubelet-sysctl)
set(CPACK_PACKAGE_VENDOR "kubelet-sysctl")
set(CPACK_PACKAGE_CONTACT "The kubelet-sysctl authors <maintainers@kubelet-sysctl.invalid>")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGE_FILE_NAME
    kubelet-sysctl-${PROJECT_VERSION}-linux-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)

set(CPACK_GENERATOR TGZ DEB)
find_program(KUBELET_SYSCTL_RPMBUILD rpmbuild)
if(KUBELET_SYSCTL_RPMBUILD)
  list(APPEND CPACK_GENERATOR RPM)
endif()

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_LICENSE "Apache-2.0")
# Links by build id serve debuggers; there is no debug package to lead to.
set(CPACK_RPM_SPEC_MORE_DEFINE "%define _build_id_links none")
# These directories belong to the distribution's own packages.
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION
    /usr/share/man /usr/share/man/man8 /usr/share/bash-completion
    /usr/share/bash-completion/completions)
if(NOT KUBELET_SYSCTL_STATIC)
  # dpkg-shlibdeps reads the libraries from the program; a static one has none to read.
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
endif()
include(CPack)
