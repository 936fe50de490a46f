# Several files compiled as one take a third of the time, which the build under the sanitizers needs.
# Files that name something privately as another file of their library does stand in alone.txt: they
# are compiled on their own.
#
#   bailey_compile_alone()   after a directory's targets are there
option(BAILEY_UNITY "Compile several files as one" OFF)
if(BAILEY_UNITY)
  set(CMAKE_UNITY_BUILD ON)
  set(CMAKE_UNITY_BUILD_BATCH_SIZE 8)
endif()

file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/alone.txt alone_files REGEX "\\.cpp$")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/alone.txt)
list(TRANSFORM alone_files PREPEND ${CMAKE_SOURCE_DIR}/)

macro(bailey_compile_alone)
  set_source_files_properties(${alone_files} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endmacro()
