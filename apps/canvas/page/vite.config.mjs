// Bundles the pages into files with fixed names, which the node serves with tags that follow from
// their contents.
import {defineConfig} from 'vite';

export default defineConfig({
  base: './',
  publicDir: false,
  build: {
    target: 'es2022',
    cssCodeSplit: false,
    modulePreload: false,
    emptyOutDir: true,
    rollupOptions: {
      input: ['index.html', 'side-by-side.html'],
      output: {
        entryFileNames: ({name}) => (name === 'index' ? 'page.js' : '[name].js'),
        chunkFileNames: 'shared.js',
        assetFileNames: 'style.css',
      },
    },
  },
});
