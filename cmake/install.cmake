# What `cmake --install` puts where. An installed program needs nothing of the source or build folder.

install(TARGETS parley parley_bare_path RUNTIME)  # the program looks for the other one beside itself

if(NOT PARLEY_SANITIZE)
  set(generated ${CMAKE_BINARY_DIR}/share)
  install(FILES ${generated}/parley.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${generated}/parley.bash RENAME parley
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${generated}/_parley DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  install(FILES ${generated}/parley.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()

# With the node modules if they are there; else `parley report` says how to get them.
install(DIRECTORY reports DESTINATION ${CMAKE_INSTALL_DATADIR}/parley
        PATTERN testdata EXCLUDE PATTERN "*_test.mjs" EXCLUDE)
install(CODE "
  if(NOT EXISTS \"${CMAKE_SOURCE_DIR}/reports/node_modules\")
    message(STATUS \"Without the plot modules (`./parley report` in the source fetches them): parley report will say how to install them\")
  endif()")

install(FILES ARCHITECTURE.md CHANGELOG.md CITATION.cff CONTRIBUTING.md LICENSE README.md THIRD_PARTY.md
        DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
