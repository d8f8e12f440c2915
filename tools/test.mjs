// `npm test`: types, lint, every unit and contract test, then the end-to-end tests one file at a time
// (they share the machine's cgroups and network, and two cores).
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'

const only = process.argv.slice(2)
const steps = [
  ['types', 'tsc', ['--noEmit']],
  ['lint', 'biome', ['check', '.']],
  [
    'unit tests',
    process.execPath,
    ['--test', '--test-timeout=120000', ...files('src/**/*.test.ts', 'tools/**/*.test.ts')],
  ],
  [
    'end-to-end tests',
    process.execPath,
    [
      '--test',
      '--test-concurrency=1',
      '--test-timeout=600000',
      '--test-reporter=spec',
      ...files('test/**/*.test.ts'),
    ],
  ],
]

for (const [what, command, args] of steps) {
  if (only.length > 0 && !only.some(word => what.includes(word))) continue
  console.log(`\n— ${what}`)
  const startedAt = performance.now()
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' })
  if (error || status !== 0) {
    console.error(`✘ ${what} failed${error ? `: ${error.message}` : ''}`)
    process.exit(1)
  }
  console.log(`  ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
}

function files(...patterns) {
  return patterns.flatMap(pattern => globSync(pattern)).sort()
}
