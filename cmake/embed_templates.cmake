# Writes OUT, a C++ file with every template and style under DIR as a string, so that the programs need no files beside
# them. HEADER declares NAMESPACE::CompiledTemplates().
# cmake -DDIR=… -DOUT=… -DHEADER=… -DNAMESPACE=… -P embed_templates.cmake
file(GLOB_RECURSE files RELATIVE ${DIR} ${DIR}/*.mustache ${DIR}/*.css)
list(SORT files)
set(code "// Made by embed_templates.cmake from templates/: edit the templates.\n#include \"${HEADER}\"\n\n")
string(APPEND code "namespace ${NAMESPACE} {\n\n")
string(APPEND code "const std::map<std::string, std::string>& CompiledTemplates() {\n")
string(APPEND code "  static const auto& templates = *new std::map<std::string, std::string>{\n")
foreach(file IN LISTS files)
  file(READ ${DIR}/${file} text)
  string(REGEX REPLACE "\\.mustache$" "" name ${file})
  string(APPEND code "      {\"${name}\", R\"ringback(${text})ringback\"},\n")
endforeach()
string(APPEND code "  };\n  return templates;\n}\n\n}  // namespace ${NAMESPACE}\n")
file(WRITE ${OUT} "${code}")
