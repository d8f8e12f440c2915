// Node.js as the set-up brought it, for programs that tests run inside of pods.
import { copyFileSync } from 'node:fs'
import path from 'node:path'
import { DEBIAN_BASE, type ImageRecipe, PATH } from './recipe.ts'
import { addDebianBase, makeDirectory } from './root-files.ts'

export const nodejs: ImageRecipe = {
  name: 'node',
  testsOnly: true,
  names: ['node:latest', 'node:24', `node:${process.versions.node}`],
  packages: [...DEBIAN_BASE, 'libstdc++6'],
  adapt(root) {
    addDebianBase(root)
    makeDirectory(root, 'usr/local/bin')
    copyFileSync(process.execPath, path.join(root, 'usr/local/bin/node'))
  },
  config: { Env: [PATH, `NODE_VERSION=${process.versions.node}`], Cmd: ['node'] },
}
