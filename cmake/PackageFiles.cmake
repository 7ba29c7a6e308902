# SPDX-License-Identifier: Apache-2.0
# Run by cpack between the installing of files and the making of one package: brings them to the form of
# that kind of package, adds the list of components, and gives everything one time, so that two builds of a
# tree are the same bytes. The time is SOURCE_DATE_EPOCH, else that of the commit, else of the manual page.
cmake_minimum_required(VERSION 3.25)
set(source ${CPACK_KUBELET_SYSCTL_SOURCE_DIR})
set(stage ${CPACK_TEMPORARY_INSTALL_DIRECTORY}${CPACK_PACKAGING_INSTALL_PREFIX})
if(CPACK_GENERATOR MATCHES "TGZ")
  set(stage ${CPACK_TEMPORARY_INSTALL_DIRECTORY})
endif()
set(documents ${stage}/share/doc/kubelet-sysctl)

macro(run)
  execute_process(${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endmacro()

# copied(FROM TO): file(INSTALL) would put DESTDIR before the path, which cpack has set.
function(copied from to)
  cmake_path(GET to PARENT_PATH directory)
  file(MAKE_DIRECTORY ${directory})
  file(COPY_FILE ${from} ${to})
  file(CHMOD ${to} PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
endfunction()

# compressed(FROM TO): with no name and no time in the header.
function(compressed from to)
  run(COMMAND gzip -9 -n -c ${from} OUTPUT_FILE ${to})
  file(CHMOD ${to} PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
endfunction()

if(NOT DEFINED ENV{SOURCE_DATE_EPOCH})
  execute_process(COMMAND git -C ${source} log -1 --format=%ct OUTPUT_VARIABLE epoch
                  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(NOT epoch MATCHES "^[0-9]+$")
    file(STRINGS ${source}/docs/kubelet-sysctl.8 title REGEX "^\\.TH ")
    string(REGEX MATCH "[0-9]+-[0-9]+-[0-9]+" date "${title}")
    run(COMMAND date --utc --date=${date} +%s OUTPUT_VARIABLE epoch OUTPUT_STRIP_TRAILING_WHITESPACE)
  endif()
  # dpkg, rpm and cpack's own archives read it.
  set(ENV{SOURCE_DATE_EPOCH} ${epoch})
endif()

find_program(python python3)
if(python AND CPACK_KUBELET_SYSCTL_STATIC)
  set(list ${documents}/kubelet-sysctl.spdx.json)
  run(COMMAND ${python} ${source}/scripts/sbom.py --program ${stage}/bin/kubelet-sysctl --version
              ${CPACK_PACKAGE_VERSION} --build ${CPACK_KUBELET_SYSCTL_BUILD_DIR}
              --compiler ${CPACK_KUBELET_SYSCTL_COMPILER} --sbom ${list}
              --notices ${documents}/third-party-notices)
  file(COPY_FILE ${list} ${CPACK_PACKAGE_DIRECTORY}/${CPACK_PACKAGE_FILE_NAME}.spdx.json)
  compressed(${documents}/third-party-notices ${documents}/third-party-notices.gz)
  file(REMOVE ${documents}/third-party-notices)
endif()

if(CPACK_GENERATOR MATCHES "DEB|RPM")
  compressed(${stage}/share/man/man8/kubelet-sysctl.8 ${stage}/share/man/man8/kubelet-sysctl.8.gz)
  file(REMOVE ${stage}/share/man/man8/kubelet-sysctl.8)
  compressed(${source}/CHANGELOG.md ${documents}/changelog.gz)
endif()

if(CPACK_GENERATOR STREQUAL "RPM")
  file(MAKE_DIRECTORY ${stage}/share/licenses/kubelet-sysctl)
  file(RENAME ${documents}/LICENSE ${stage}/share/licenses/kubelet-sysctl/LICENSE)
elseif(CPACK_GENERATOR STREQUAL "DEB")
  file(REMOVE ${documents}/LICENSE)
  copied(${source}/packaging/debian/copyright ${documents}/copyright)
  copied(${source}/packaging/debian/lintian-overrides
         ${stage}/share/lintian/overrides/kubelet-sysctl)
  file(RENAME ${stage}/share/zsh/site-functions ${stage}/share/zsh/vendor-completions)
  run(COMMAND date --utc --date=@$ENV{SOURCE_DATE_EPOCH} -R
      OUTPUT_VARIABLE date OUTPUT_STRIP_TRAILING_WHITESPACE)
  file(WRITE ${documents}/changelog.Debian
       "kubelet-sysctl (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium\n\n"
       "  * What changed is in changelog.gz.\n\n -- ${CPACK_PACKAGE_CONTACT}  ${date}\n")
  compressed(${documents}/changelog.Debian ${documents}/changelog.Debian.gz)
  file(REMOVE ${documents}/changelog.Debian)
  # Where the unit is on a Debian whose /lib is not a link: systemd of that age looks there first.
  if(EXISTS ${stage}/lib/systemd)
    file(MAKE_DIRECTORY ${stage}/../lib)
    file(RENAME ${stage}/lib/systemd ${stage}/../lib/systemd)
    file(REMOVE_RECURSE ${stage}/lib)
  endif()
endif()

# Directories too, whatever the umask: file(MAKE_DIRECTORY) asks that.
run(COMMAND find ${CPACK_TEMPORARY_INSTALL_DIRECTORY} -mindepth 1 -type d -exec chmod 0755 {} +)
run(COMMAND find ${CPACK_TEMPORARY_INSTALL_DIRECTORY} -exec touch --no-dereference
            --date=@$ENV{SOURCE_DATE_EPOCH} {} +)
