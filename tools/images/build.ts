// Makes the images of catalog.ts as OCI layout directories in .cache/images/NAME or, with --tests also those that only
// test suites use, in .cache/test-images/NAME. The same packages always give the same digests: names sorted, times
// fixed, owners 0.
import { existsSync } from 'node:fs'
import path from 'node:path'
import { buildImage, CACHE } from './build-image.ts'
import { RECIPES } from './catalog.ts'

const tests = process.argv.includes('--tests')
for (const recipe of RECIPES.filter(recipe => tests || !recipe.testsOnly)) {
  // A cluster loads all of images/ at its start; test suites load what they need.
  const folder = recipe.testsOnly ? 'test-images' : 'images'
  buildImage(recipe, path.join(CACHE, folder, recipe.name))
}
if (!existsSync(path.join(CACHE, 'images'))) throw new Error('no image was made')
