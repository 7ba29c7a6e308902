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

set(CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
kubelet_sysctl_install_file(docs/kubelet-sysctl.8 ${CMAKE_INSTALL_MANDIR}/man8)
kubelet_sysctl_install_file(docs/completions/kubelet-sysctl.bash
                            ${CMAKE_INSTALL_DATADIR}/bash-completion/completions kubelet-sysctl)
kubelet_sysctl_install_file(docs/completions/_kubelet-sysctl
                            ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
kubelet_sysctl_install_file(docs/completions/kubelet-sysctl.fish
                            ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
kubelet_sysctl_install_file(packaging/systemd/kubelet-sysctl-sync.service lib/systemd/system)
# What the program, the manual page and the README name. A page of the tree names nothing that is not beside it.
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs
        FILES_MATCHING PATTERN "*.md" PATTERN "*.json" PATTERN "*.svg"
        PATTERN "completions" EXCLUDE PATTERN "picture/*.sh" EXCLUDE)
install(DIRECTORY examples/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples USE_SOURCE_PERMISSIONS
        PATTERN "nodes" EXCLUDE PATTERN "__pycache__" EXCLUDE)
kubelet_sysctl_install_file(README.md ${CMAKE_INSTALL_DOCDIR})
kubelet_sysctl_install_file(LICENSE ${CMAKE_INSTALL_DOCDIR})

set(CPACK_PACKAGE_NAME kubelet-sysctl)
set(CPACK_PACKAGE_VENDOR "The kubelet-sysctl authors")
set(CPACK_PACKAGE_CONTACT "The kubelet-sysctl authors <maintainers@kubelet-sysctl.invalid>")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "unsafe sysctl allowlist of a node's kubelet")
set(CPACK_PACKAGE_DESCRIPTION
    "A kubelet refuses a pod that sets a sysctl outside the safe set, unless the\n\
list of its node names it. This program shows that list with the file and line\n\
of each entry, changes it where it is, restarts the kubelet, watches until\n\
the new process is seen with the new list, and puts the old files back if it\n\
does not stay healthy.")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGE_FILE_NAME
    kubelet-sysctl-${PROJECT_VERSION}-linux-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS ${CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS})
set(CPACK_VERBATIM_VARIABLES ON)
# Packages hold what was built; they do not build the tests first.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)

# What a package has beside the installed files, and the time of all of them.
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/PackageFiles.cmake)
set(CPACK_KUBELET_SYSCTL_SOURCE_DIR ${PROJECT_SOURCE_DIR})
set(CPACK_KUBELET_SYSCTL_BUILD_DIR ${PROJECT_BINARY_DIR})
set(CPACK_KUBELET_SYSCTL_COMPILER ${CMAKE_CXX_COMPILER})
set(CPACK_KUBELET_SYSCTL_STATIC ${KUBELET_SYSCTL_STATIC})

set(CPACK_GENERATOR TGZ DEB)
find_program(KUBELET_SYSCTL_RPMBUILD rpmbuild)
if(KUBELET_SYSCTL_RPMBUILD)
  list(APPEND CPACK_GENERATOR RPM)
endif()
set(debian_of_x86_64 amd64)
set(debian_of_aarch64 arm64)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_DEPENDS systemd)
if(DEFINED debian_of_${CMAKE_SYSTEM_PROCESSOR})
  # Else cpack asks dpkg for the architecture of this machine, which a cross build is not for.
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE ${debian_of_${CMAKE_SYSTEM_PROCESSOR}})
endif()
# zstd is unknown to dpkg before Debian 12, and to the rpm of Amazon Linux 2.
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "")
foreach(script IN ITEMS postinst prerm postrm)
  list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/packaging/debian/${script})
endforeach()

set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_LICENSE "Apache-2.0")
set(CPACK_RPM_PACKAGE_ARCHITECTURE ${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_RPM_PACKAGE_DESCRIPTION "${CPACK_PACKAGE_DESCRIPTION}")
set(CPACK_RPM_PACKAGE_REQUIRES systemd)
# Units and man name /usr/bin.
set(CPACK_RPM_PACKAGE_RELOCATABLE OFF)
set(CPACK_RPM_NO_INSTALL_PREFIX_RELOCATION ON)
set(CPACK_RPM_COMPRESSION_TYPE xz)
set(CPACK_RPM_POST_INSTALL_SCRIPT_FILE ${PROJECT_SOURCE_DIR}/packaging/rpm/post.sh)
set(CPACK_RPM_PRE_UNINSTALL_SCRIPT_FILE ${PROJECT_SOURCE_DIR}/packaging/rpm/preun.sh)
set(CPACK_RPM_POST_UNINSTALL_SCRIPT_FILE ${PROJECT_SOURCE_DIR}/packaging/rpm/postun.sh)
# Links by build id serve debuggers; there is no debug package to lead to. The rest makes two builds of the
# same tree the same bytes. Source: rpm's macros.in and docs/manual/buildprocess.md.
set(CPACK_RPM_SPEC_MORE_DEFINE
    "%define _build_id_links none\n\
%define _buildhost localhost\n\
%define use_source_date_epoch_as_buildtime 1\n\
%define clamp_mtime_to_source_date_epoch 1\n\
%define __os_install_post %{nil}")
# These directories belong to the distribution's own packages.
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION
    /usr/share/man
    /usr/share/man/man8
    /usr/share/bash-completion
    /usr/share/bash-completion/completions
    /usr/share/fish
    /usr/share/fish/vendor_completions.d
    /usr/share/zsh
    /usr/share/zsh/site-functions
    /usr/share/licenses
    /usr/lib/systemd
    /usr/lib/systemd/system)
if(NOT KUBELET_SYSCTL_STATIC)
  set(CPACK_STRIP_FILES ON)
  # dpkg-shlibdeps reads the libraries from the program; a static one has none to read.
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
endif()
include(CPack)
