# One library a layer. A layer lists the layers that it uses; scripts/check-layers reads the same
# list and refuses an include that it does not allow.
#
#   bailey_layer(NAME DIR path USES layer... LINK target...)
function(bailey_layer name)
  cmake_parse_arguments(LAYER "" "DIR" "USES;LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${LAYER_DIR}/*.cpp)
  if(sources)
    add_library(bailey_${name} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(bailey_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  set(used ${LAYER_USES})
  list(TRANSFORM used PREPEND bailey_)
  target_link_libraries(bailey_${name} ${scope} bailey_options ${used} ${LAYER_LINK})
endfunction()
