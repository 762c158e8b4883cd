# How a room is declared. A room's CMakeLists.txt says what it is made of and what it may see:
#
#   flowspan_library(engine
#       USES value async dsl            # rooms, by folder name (infra/http is infra_http)
#       LINKS Boost::json               # third-party targets
#       SOURCES graph.cpp run.cpp
#       TESTS graph_test.cpp)           # built into engine_test

# What a program that embeds Flowspan may link, and what that needs in turn.
set(FLOWSPAN_INSTALLED_ROOMS
    base value async trace infra_http infra_sql infra_sandbox dsl engine model knowledge tools agent
    store service observe export)

function(flowspan_library name)
    cmake_parse_arguments(ARG "" "" "USES;LINKS;PRIVATE_LINKS;SOURCES;TESTS;TEST_USES;TEST_LINKS" ${ARGN})
    set(target "flowspan_${name}")
    if(ARG_SOURCES)
        add_library(${target} STATIC ${ARG_SOURCES})
        set(scope PUBLIC)
        target_link_libraries(${target} PRIVATE ${ARG_PRIVATE_LINKS})
    else()
        add_library(${target} INTERFACE)
        set(scope INTERFACE)
    endif()
    add_library(flowspan::${name} ALIAS ${target})
    list(TRANSFORM ARG_USES PREPEND "flowspan::")
    target_include_directories(${target} ${scope}
        "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
        "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>"
        "$<INSTALL_INTERFACE:include>"
        "$<INSTALL_INTERFACE:include/flowspan/rooms>")
    if(name IN_LIST FLOWSPAN_INSTALLED_ROOMS)
        set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
        install(TARGETS ${target} EXPORT flowspan_targets ARCHIVE COMPONENT devel)
    endif()
    target_link_libraries(${target} ${scope} flowspan::options ${ARG_USES} ${ARG_LINKS})
    if(FLOWSPAN_BUILD_TESTS AND ARG_TESTS)
        list(TRANSFORM ARG_TEST_USES PREPEND "flowspan::")
        flowspan_test(${name}_test SOURCES ${ARG_TESTS} USES flowspan::${name} ${ARG_TEST_USES} ${ARG_TEST_LINKS})
    endif()
endfunction()

# A GoogleTest program; each TEST becomes one ctest entry with the program's name as its label.
function(flowspan_test name)
    cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;USES" ${ARGN})
    if(NOT ARG_TIMEOUT)
        set(ARG_TIMEOUT 120)
    endif()
    add_executable(${name} ${ARG_SOURCES})
    target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
    target_link_libraries(${name} PRIVATE flowspan::options ${ARG_USES} GTest::gmock GTest::gtest_main)
    set(environment "")
    if(FLOWSPAN_SANITIZE MATCHES "thread")
        set(environment ENVIRONMENT "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tools/tsan.supp")
    endif()
    gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60
        PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS ${name} ${environment})
endfunction()

# A libFuzzer program. With the fuzz preset it is instrumented and runs as long as one likes; among the
# tests it makes a short run over its seeds in tests/fuzz/ (a folder of its own name, or SEEDS) and
# some mutations of them, of at most MAX_LEN bytes (4096).
function(flowspan_fuzz name)
    if(NOT FLOWSPAN_FUZZ AND NOT FLOWSPAN_BUILD_TESTS)
        return()
    endif()
    cmake_parse_arguments(ARG "" "SEEDS;MAX_LEN" "SOURCES;USES" ${ARGN})
    if(NOT ARG_MAX_LEN)
        set(ARG_MAX_LEN 4096)
    endif()
    add_executable(${name} ${ARG_SOURCES})
    target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
    target_link_libraries(${name} PRIVATE flowspan::options ${ARG_USES})
    target_compile_options(${name} PRIVATE -fsanitize=fuzzer-no-link)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    if(NOT ARG_SEEDS)
        set(ARG_SEEDS ${name})
    endif()
    set(seeds "${PROJECT_SOURCE_DIR}/tests/fuzz/${ARG_SEEDS}")
    set(options -runs=1000 -seed=1 -max_len=${ARG_MAX_LEN} -timeout=120 -rss_limit_mb=2048)
    if(EXISTS "${seeds}.dict")
        list(APPEND options "-dict=${seeds}.dict")
    endif()
    # New inputs and findings go to the build folder, never beside the seeds.
    file(MAKE_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/${name}_inputs")
    add_test(NAME fuzz.${name} COMMAND ${name} ${options} "${name}_inputs" "${seeds}")
    set_tests_properties(fuzz.${name} PROPERTIES
        LABELS fuzz TIMEOUT 600 WORKING_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}")
endfunction()
