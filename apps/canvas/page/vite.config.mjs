// Bundles the page into three files with fixed names, which the node serves with tags that follow
// from their contents.
import {defineConfig} from 'vite';

export default defineConfig({
  base: './',
  publicDir: false,
  build: {
    target: 'es2022',
    cssCodeSplit: false,
    modulePreload: false,
    emptyOutDir: true,
    rollupOptions: {output: {entryFileNames: 'page.js', assetFileNames: 'style.css'}},
  },
});
