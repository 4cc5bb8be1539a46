// Bundles tests written in TypeScript and runs them by Node's own test runner:
//   node test.mjs src/frames_test.ts browser/two_pages_test.ts
// PARLEY_SKIP_BROWSER="why" leaves out those with a browser: they count as skipped (exit status 77).
import {spawnSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, readdirSync, rmSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'vite';

const page = dirname(fileURLToPath(import.meta.url));
process.chdir(page);

const why = process.env.PARLEY_SKIP_BROWSER ?? '';
if (why !== '' && process.argv.some((file) => file.startsWith('browser/'))) {
  console.log(`skipped, as PARLEY_SKIP_BROWSER says: ${why}`);
  process.exit(77);
}

// Beside the packages that the tests import.
const parent = join(page, 'node_modules', '.parley-tests');
mkdirSync(parent, {recursive: true});
const folder = mkdtempSync(join(parent, 'run-'));

const input = Object.fromEntries(process.argv.slice(2).map((file) => [basename(file, '.ts'), file]));
await build({
  configFile: false,
  logLevel: 'warn',
  publicDir: false,
  build: {
    ...{ssr: true, outDir: folder, target: 'node18', minify: false},
    rollupOptions: {input, output: {entryFileNames: '[name].mjs'}},
  },
});
const tests = readdirSync(folder).filter((name) => name.endsWith('_test.mjs')).map((name) => join(folder, name));
const {status} = spawnSync(process.execPath, ['--enable-source-maps', '--test', ...tests], {stdio: 'inherit'});
rmSync(folder, {recursive: true, force: true});
process.exit(status ?? 1);
