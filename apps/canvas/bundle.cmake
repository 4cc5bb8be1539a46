# Bundles the web page. Run as a script:
# cmake -DNODE=/usr/bin/node -DPAGE=page -DOUTPUT=bundle -P bundle.cmake
set(how "run `npm ci --omit=dev --prefix apps/canvas/page`, as ./parley does by itself")
if(NOT NODE)
  message(FATAL_ERROR "the web page is bundled by Node.js, which is missing: install nodejs and npm (packages/run.txt), and ${how}")
endif()
if(NOT EXISTS ${PAGE}/node_modules/vite)
  message(FATAL_ERROR "apps/canvas/page/node_modules is missing: ${how}")
endif()
execute_process(
  COMMAND ${NODE} node_modules/vite/bin/vite.js build --logLevel warn --outDir ${OUTPUT}
  WORKING_DIRECTORY ${PAGE} RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "the web page could not be bundled")
endif()
