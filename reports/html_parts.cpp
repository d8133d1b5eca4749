// The files of the page, in the program: the assembler takes them as they are. CMakeLists.txt names
// them as what this file depends on, and the root of the sources as where the assembler looks.
#include "reports/html.hpp"

// REJOIN_EMBED(NAME, FILE): the bytes of FILE from rejoin_page_NAME to rejoin_page_NAME_end.
#define REJOIN_EMBED(name, file)              \
  asm(".pushsection .rodata\n"                \
      ".global rejoin_page_" #name            \
      "\n"                                    \
      ".global rejoin_page_" #name            \
      "_end\n"                                \
      "rejoin_page_" #name                    \
      ":\n"                                   \
      ".incbin \"" file                       \
      "\"\n"                                  \
      "rejoin_page_" #name                    \
      "_end:\n"                               \
      ".byte 0\n"                             \
      ".popsection\n");                       \
  extern "C" const char rejoin_page_##name[]; \
  extern "C" const char rejoin_page_##name##_end[]

REJOIN_EMBED(shell, "reports/page/shell.html");
REJOIN_EMBED(style, "reports/page/dist/page.css");
REJOIN_EMBED(script, "reports/page/dist/page.js");

namespace rejoin::reports {

std::string_view page_shell() {
  return {rejoin_page_shell, rejoin_page_shell_end};
}
std::string_view page_style() {
  return {rejoin_page_style, rejoin_page_style_end};
}
std::string_view page_script() {
  return {rejoin_page_script, rejoin_page_script_end};
}

}  // namespace rejoin::reports
