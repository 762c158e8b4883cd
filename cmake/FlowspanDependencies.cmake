# Third-party parts, all from Debian packages; rooms link the imported targets they name.

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(Boost 1.83 REQUIRED COMPONENTS json url)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CURL REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(pugixml REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(libyaml REQUIRED IMPORTED_TARGET GLOBAL yaml-0.1)
# gRPC's own search for it goes by the name `re2`.
pkg_check_modules(libre2 REQUIRED IMPORTED_TARGET GLOBAL re2)
pkg_check_modules(libseccomp REQUIRED IMPORTED_TARGET GLOBAL libseccomp)
pkg_check_modules(libzip REQUIRED IMPORTED_TARGET GLOBAL libzip)
pkg_check_modules(poppler REQUIRED IMPORTED_TARGET GLOBAL poppler-cpp)
find_package(gRPC QUIET)
find_package(opentelemetry-cpp REQUIRED)
if(FLOWSPAN_BUILD_TESTS)
    find_package(GTest REQUIRED)
    include(GoogleTest)
endif()
if(FLOWSPAN_BUILD_BENCH)
    find_package(benchmark REQUIRED)
endif()

# What a program of ours links to take its memory from jemalloc: thousands of runs at once grow and
# free small blocks on every thread. Sanitizers bring an allocator of their own.
add_library(flowspan_allocator INTERFACE)
add_library(flowspan::allocator ALIAS flowspan_allocator)
if(NOT FLOWSPAN_SANITIZE)
    find_library(JEMALLOC_LIBRARY NAMES jemalloc_pic REQUIRED)
    target_link_libraries(flowspan_allocator INTERFACE
        "${JEMALLOC_LIBRARY}" Threads::Threads ${CMAKE_DL_LIBS})
endif()
