# What `cmake --install <build> --component devel` puts into a prefix: static libraries, public headers,
# and the package that find_package(flowspan) finds.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS flowspan_options EXPORT flowspan_targets)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/flowspan" DESTINATION include COMPONENT devel)
# Headers of rooms that public ones stand for.
foreach(header
        infra/http/http_client.hpp infra/http/http_types.hpp infra/sql/database.hpp
        observe/observability_layer.hpp)
    cmake_path(GET header PARENT_PATH folder)
    install(FILES "${PROJECT_SOURCE_DIR}/src/${header}"
        DESTINATION "include/flowspan/rooms/${folder}" COMPONENT devel)
endforeach()

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/flowspan")
install(EXPORT flowspan_targets
    NAMESPACE flowspan:: DESTINATION "${package_folder}" COMPONENT devel)
configure_package_config_file(
    "${PROJECT_SOURCE_DIR}/cmake/flowspan-config.cmake.in"
    "${PROJECT_BINARY_DIR}/flowspan-config.cmake"
    INSTALL_DESTINATION "${package_folder}")
write_basic_package_version_file(
    "${PROJECT_BINARY_DIR}/flowspan-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES
    "${PROJECT_BINARY_DIR}/flowspan-config.cmake"
    "${PROJECT_BINARY_DIR}/flowspan-config-version.cmake"
    "${PROJECT_SOURCE_DIR}/cmake/FlowspanDependencies.cmake"
    DESTINATION "${package_folder}" COMPONENT devel)
