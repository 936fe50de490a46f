# bailey_embed(TARGET FILE path FUNCTION name): compiles a text file into a layer, as
# `std::string_view bailey::name()`.
function(bailey_embed target)
  cmake_parse_arguments(EMBED "" "FILE;FUNCTION" "" ${ARGN})
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded/${EMBED_FUNCTION}.cpp)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${EMBED_FILE})
  file(READ ${CMAKE_SOURCE_DIR}/${EMBED_FILE} EMBED_TEXT)
  # String literals have a limit that the document may outgrow: one piece a line.
  string(REPLACE "\\" "\\\\" EMBED_TEXT "${EMBED_TEXT}")
  string(REPLACE "\"" "\\\"" EMBED_TEXT "${EMBED_TEXT}")
  string(REPLACE "\n" "\\n\"\n    \"" EMBED_TEXT "${EMBED_TEXT}")
  configure_file(${CMAKE_SOURCE_DIR}/cmake/embedded.cpp.in ${source} @ONLY)
  target_sources(${target} PRIVATE ${source})
endfunction()
