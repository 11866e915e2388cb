# Compiler cache, linker, warnings, hardening and sanitizers: what every target shares.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # The sloppiness is what ccache asks for with precompiled headers; no rule here depends on __TIME__.
  set(RINGBACK_CCACHE ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=/ CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE_PROGRAM})
  set(CMAKE_C_COMPILER_LAUNCHER ${RINGBACK_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${RINGBACK_CCACHE})
endif()

find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(-Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers -fstack-protector-strong)
add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)

# RINGBACK_SANITIZE=address,undefined or thread; chosen by the presets "asan" and "tsan".
set(RINGBACK_SANITIZE "" CACHE STRING "Sanitizers for every target")
if(RINGBACK_SANITIZE)
  # -O1: builds in half the time, and stack traces keep the frames that -O2 folds away.
  add_compile_options(-fsanitize=${RINGBACK_SANITIZE} -O1 -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${RINGBACK_SANITIZE})
endif()
# What a ThreadSanitizer build has in addition; the files say why.
set(RINGBACK_PROGRAM_SRCS "")
if(RINGBACK_SANITIZE MATCHES "thread")
  include_directories(BEFORE ${CMAKE_SOURCE_DIR}/tests/tsan)
  add_library(ringback_tsan OBJECT ${CMAKE_SOURCE_DIR}/tests/tsan/abseil_mutex.cc)
  set(RINGBACK_PROGRAM_SRCS $<TARGET_OBJECTS:ringback_tsan>)
endif()

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(absl REQUIRED)
find_package(Protobuf REQUIRED)
find_package(GTest REQUIRED)
find_package(spdlog REQUIRED)
