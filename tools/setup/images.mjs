// The container images that the examples and tests use, made from Debian packages by tools/images.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cache, onPath, root, run, SetupError, stamp } from './step.mjs'

/** Makes the images anew when their recipes changed; with `forTests` also those that only test suites use. */
export async function ensureImages({ forTests = false } = {}) {
  const recipes = stamp(forTests ? 'images-for-tests' : 'images', recipeText())
  const made = ['images/busybox', 'images/nginx']
  if (forTests) made.push('test-images/redis', 'test-images/postgres', 'test-images/node')
  if (recipes.fresh && made.every(name => existsSync(join(cache, name, 'index.json')))) return false
  if (!onPath('dpkg') || !onPath('apt-get')) {
    throw new SetupError('The images are made from Debian packages: a Debian or Ubuntu machine is needed.')
  }
  const own = join(root, 'node_modules', '.bin', 'node')
  await run(
    existsSync(own) ? own : process.execPath,
    ['tools/images/build.ts', ...(forTests ? ['--tests'] : [])],
    { why: 'making the container images' },
  )
  recipes.write()
  return true
}

/** All that decides what is inside an image. */
function recipeText() {
  const folder = join(root, 'tools', 'images')
  const files = readdirSync(folder).filter(name => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  return files
    .sort()
    .map(name => readFileSync(join(folder, name), 'utf8'))
    .join('\0')
}
