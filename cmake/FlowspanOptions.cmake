# Build switches and the flags that every Flowspan target is compiled with.

option(FLOWSPAN_BUILD_TESTS "Build the unit, golden and stress tests" ON)
option(FLOWSPAN_BUILD_BENCH "Build the benchmarks and the scripted model server's load bench" OFF)
option(FLOWSPAN_WERROR "Treat warnings as errors" OFF)
set(FLOWSPAN_SANITIZE "" CACHE STRING "Sanitizers for all targets, for example address,undefined")
option(FLOWSPAN_FUZZ "Build the fuzzers" OFF)

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# Programs stand at the top of the build folder: build/release/flowspan.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()

add_library(flowspan_options INTERFACE)
add_library(flowspan::options ALIAS flowspan_options)
set_target_properties(flowspan_options PROPERTIES EXPORT_NAME options)
target_compile_features(flowspan_options INTERFACE cxx_std_23)
# Warnings are this project's own business; the rest belongs to whoever links it.
target_compile_options(flowspan_options INTERFACE
    "$<BUILD_INTERFACE:-Wall;-Wextra;-Wconversion;-Wshadow>")
if(FLOWSPAN_WERROR)
    target_compile_options(flowspan_options INTERFACE "$<BUILD_INTERFACE:-Werror>")
endif()
target_compile_definitions(flowspan_options INTERFACE
    BOOST_ASIO_SEPARATE_COMPILATION
    BOOST_ASIO_NO_DEPRECATED
    BOOST_ASIO_DISABLE_BOOST_COROUTINE)
target_link_options(flowspan_options INTERFACE -fuse-ld=lld-19)
if(CMAKE_INTERPROCEDURAL_OPTIMIZATION)
    # A link after a small change compiles only what the change reaches.
    target_link_options(flowspan_options INTERFACE
        "$<BUILD_INTERFACE:LINKER:--thinlto-cache-dir=${CMAKE_BINARY_DIR}/lto_cache,--thinlto-cache-policy=cache_size_bytes=1g>")
endif()
if(FLOWSPAN_SANITIZE)
    target_compile_options(flowspan_options INTERFACE
        -fsanitize=${FLOWSPAN_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(flowspan_options INTERFACE -fsanitize=${FLOWSPAN_SANITIZE})
    target_compile_definitions(flowspan_options INTERFACE FLOWSPAN_SANITIZED=1)
endif()
