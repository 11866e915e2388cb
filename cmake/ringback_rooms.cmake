# How a room becomes a target. Headers are included from services/ ("core/store/store.h"), so an include
# names its room, and tests/arrows_test.py can hold the includes against the design.

# ringback_library(NAME [GRPC] SRCS a.cc … DEPS lib … [PRIVATE lib …])
#   GRPC: reuse the precompiled gRPC and protobuf headers.
#   PRIVATE: what only its own sources include, so that its flags do not reach the rooms above.
function(ringback_library name)
  cmake_parse_arguments(ARG "GRPC" "" "SRCS;DEPS;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${ARG_SRCS})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR}/services)
  target_link_libraries(${name} PUBLIC ${ARG_DEPS} Threads::Threads PRIVATE ${ARG_PRIVATE})
  if(ARG_GRPC)
    target_precompile_headers(${name} REUSE_FROM ringback_protos)
  endif()
endfunction()

# ringback_embed_templates(OUT HEADER NAMESPACE [MORE files…]): templates/ of this room, and more files, as a source file,
# whose path is put into OUT. It defines NAMESPACE::CompiledTemplates(), which HEADER declares: a program needs no files
# beside it.
function(ringback_embed_templates out header namespace)
  cmake_parse_arguments(ARG "" "" "MORE" ${ARGN})
  set(dir ${CMAKE_CURRENT_SOURCE_DIR}/templates)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/compiled_templates.cc)
  set(script ${CMAKE_SOURCE_DIR}/cmake/embed_templates.cmake)
  file(GLOB_RECURSE templates CONFIGURE_DEPENDS ${dir}/*.mustache ${dir}/*.css)
  add_custom_command(OUTPUT ${source}
    COMMAND ${CMAKE_COMMAND} -DDIR=${dir} "-DMORE=${ARG_MORE}" -DOUT=${source} -DHEADER=${header} -DNAMESPACE=${namespace}
            -P ${script}
    DEPENDS ${templates} ${ARG_MORE} ${script} VERBATIM)
  set(${out} ${source} PARENT_SCOPE)
endfunction()

# ringback_build_pages(OUT FILES…): what ui/ of this room builds, as paths that are put into OUT. npm's packages come from the
# lock file, into the build folder, and only when it has changed; sources stay clean. The protos' types are made for it.
find_program(NPM_PROGRAM npm REQUIRED)
function(ringback_build_pages out)
  set(ui ${CMAKE_CURRENT_SOURCE_DIR}/ui)
  set(work ${CMAKE_CURRENT_BINARY_DIR}/ui)
  list(TRANSFORM ARGN PREPEND ${work}/dist/ OUTPUT_VARIABLE built)
  set(set_up ${ui}/package.json ${ui}/tsconfig.json ${ui}/tsconfig.worker.json ${ui}/vite.config.ts)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${ui}/src/*)
  list(FILTER sources EXCLUDE REGEX /src/protocol/)
  file(GLOB protos CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/protos/ringback/v1/*.proto)
  add_custom_command(OUTPUT ${work}/packages.stamp
    COMMAND ${CMAKE_COMMAND} -E make_directory ${work}
    COMMAND ${CMAKE_COMMAND} -E copy ${ui}/package.json ${ui}/package-lock.json ${work}
    COMMAND ${NPM_PROGRAM} ci --prefix ${work} --ignore-scripts --no-audit --no-fund --loglevel=error
    COMMAND ${CMAKE_COMMAND} -E touch ${work}/packages.stamp
    DEPENDS ${ui}/package-lock.json ${ui}/package.json COMMENT "Installing the pages' build tools from their lock file" VERBATIM)
  add_custom_command(OUTPUT ${built}
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${work}/src ${work}/dist
    COMMAND ${CMAKE_COMMAND} -E copy_directory ${ui}/src ${work}/src
    COMMAND ${CMAKE_COMMAND} -E copy ${set_up} ${work}
    COMMAND ${CMAKE_COMMAND} -E env RINGBACK_PROTOS=${CMAKE_SOURCE_DIR}/protos ${NPM_PROGRAM} run build --prefix ${work} --silent
    DEPENDS ${work}/packages.stamp ${set_up} ${sources} ${protos} COMMENT "Building the pages" VERBATIM)
  set(${out} ${built} PARENT_SCOPE)
endfunction()

# ringback_binary(NAME [GRPC] SRCS … DEPS …): a program in build/bin.
function(ringback_binary name)
  cmake_parse_arguments(ARG "GRPC" "" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SRCS} ${RINGBACK_PROGRAM_SRCS})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/services)
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} Threads::Threads)
  if(ARG_GRPC)
    target_precompile_headers(${name} REUSE_FROM ringback_protos)
  endif()
endfunction()

# Everything ringback_test makes; what the sanitizer presets build.
add_custom_target(tests_unit)

# ringback_test(NAME [GRPC] SRCS … DEPS … [LABELS core|slow|…] [TIMEOUT seconds] [ARGS …])
#   One CTest test per test program; the label "core" runs in every ./scripts/test.
function(ringback_test name)
  cmake_parse_arguments(ARG "GRPC" "TIMEOUT" "SRCS;DEPS;LABELS;ARGS" ${ARGN})
  add_executable(${name} ${ARG_SRCS} ${RINGBACK_PROGRAM_SRCS})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/services)
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gtest GTest::gmock GTest::gtest_main Threads::Threads)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
  if(ARG_GRPC)
    target_precompile_headers(${name} REUSE_FROM ringback_protos)
  endif()
  add_dependencies(tests_unit ${name})
  if(NOT ARG_LABELS)
    set(ARG_LABELS core)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(RINGBACK_SANITIZE)
    math(EXPR ARG_TIMEOUT "10 * ${ARG_TIMEOUT}")
  endif()
  add_test(NAME ${name} COMMAND ${name} ${ARG_ARGS})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
endfunction()
