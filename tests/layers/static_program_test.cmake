# SPDX-License-Identifier: Apache-2.0
# The shipped program is one file: under 4 MiB, and it asks for no loader and no shared library.

file(SIZE ${PROGRAM} size)
math(EXPR limit "4 * 1024 * 1024")
if(size GREATER_EQUAL limit)
  message(FATAL_ERROR "'${PROGRAM}' has ${size} bytes; the limit is ${limit}")
endif()

execute_process(COMMAND readelf --wide --program-headers --dynamic ${PROGRAM}
                OUTPUT_VARIABLE headers COMMAND_ERROR_IS_FATAL ANY)
if(headers MATCHES "INTERP|\\(NEEDED\\)[^\n]*")
  message(FATAL_ERROR "'${PROGRAM}' is not static: ${CMAKE_MATCH_0}")
endif()
message(STATUS "${size} bytes, static")
