// Reads the table of ARCHITECTURE.md and the imports of every file: nothing imports a floor that its own may not, and
// nothing imports itself by a detour. Tests may reach every floor: they drive a part against the real API server.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path/posix'
import { test } from 'node:test'

const ROOT = join(import.meta.dirname, '..')
const IMPORT = /^(?:import|export)\s(?:[^'"]*?\sfrom\s)?'(\.[^']+)'|\bimport\(\s*'(\.[^']+)'/gm
const TEST_FILE = /\.(test|fixture)\.ts$|\/(testing|test-support)\/|\/test-[^/]+$|\/contract(\/|\.ts$)/

const floorOf = (path: string): string => path.split('/')[0]!

/** What a file imports of ours, as paths below src. */
function importsOf(path: string, text: string): string[] {
  return [...text.matchAll(IMPORT)].map(([, from, on]) => join(dirname(path), (from ?? on)!))
}

function readHouse(): Map<string, string[]> {
  const paths = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  const files = paths.filter(path => path.endsWith('.ts'))
  return new Map(files.map(path => [path, importsOf(path, readFileSync(join(ROOT, 'src', path), 'utf8'))]))
}

/** The table's rows; 'everything below' are all floors of the rows above. */
function readRules(text: string): Map<string, string[]> {
  const rules = new Map<string, string[]>()
  for (const [, floors, may] of text.matchAll(/^\| ([a-z, ]+) \| ([^|]+) \|$/gm)) {
    if (floors === 'floor') continue
    const below = [...rules.keys()]
    const allowed =
      may === 'everything below' ? below : may!.split(',').map(word => word.trim().split(' ')[0]!)
    for (const floor of floors!.split(', ')) rules.set(floor, may === 'nothing of ours' ? [] : allowed)
  }
  return rules
}

/** Groups of files that reach each other. Tarjan's strongly connected components. */
function circlesOf(house: Map<string, string[]>): string[][] {
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const stack: string[] = []
  const circles: string[][] = []
  const visit = (path: string): number => {
    const number = order.size
    order.set(path, number)
    lowest.set(path, number)
    stack.push(path)
    for (const next of house.get(path) ?? []) {
      const reached = order.has(next) ? (stack.includes(next) ? order.get(next)! : number) : visit(next)
      lowest.set(path, Math.min(lowest.get(path)!, reached))
    }
    if (lowest.get(path) === number) {
      const circle = stack.splice(stack.indexOf(path))
      if (circle.length > 1) circles.push(circle.toSorted())
    }
    return lowest.get(path)!
  }
  for (const path of house.keys()) if (!order.has(path)) visit(path)
  return circles
}

const house = readHouse()
const rules = readRules(readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8'))
const product = [...house].filter(([path]) => !TEST_FILE.test(path))

test('imports are found in every form that the code uses', () => {
  const text = [
    "import { a } from './a.ts'",
    'import {',
    '  type B,',
    "} from '../b.ts'",
    "import './c.ts'",
    "export type { D } from './d.ts'",
    "import fs from 'node:fs'",
    "const e = await import('./e.ts')",
  ].join('\n')
  const expected = ['api/x/a.ts', 'api/b.ts', 'api/x/c.ts', 'api/x/d.ts', 'api/x/e.ts']
  assert.deepEqual(importsOf('api/x/y.ts', text), expected)
})

test('circles are found, and only circles', () => {
  const cases: [string, [string, string[]][], string[][]][] = [
    [
      'a diamond',
      [
        ['a', ['b', 'c']],
        ['b', ['d']],
        ['c', ['d']],
        ['d', []],
      ],
      [],
    ],
    [
      'a circle behind a tail',
      [
        ['a', ['b']],
        ['b', ['c']],
        ['c', ['d']],
        ['d', ['b']],
      ],
      [['b', 'c', 'd']],
    ],
    [
      'two circles',
      [
        ['a', ['b']],
        ['b', ['a', 'c']],
        ['c', ['d']],
        ['d', ['c']],
      ],
      [
        ['c', 'd'],
        ['a', 'b'],
      ],
    ],
  ]
  for (const [what, imports, expected] of cases) assert.deepEqual(circlesOf(new Map(imports)), expected, what)
})

test('every file stands on a floor of the table, and what it imports exists', () => {
  const floors = new Set([...house.keys()].map(floorOf).filter(floor => !floor.endsWith('.ts')))
  assert.deepEqual([...floors].toSorted(), [...rules.keys()].toSorted())
  const missing = product.flatMap(([path, imports]) =>
    imports.filter(target => !house.has(target)).map(target => `${path} -> ${target}`),
  )
  assert.deepEqual(missing, [])
})

test('nothing imports a floor that its own may not', () => {
  const forbidden = product.flatMap(([path, imports]) => {
    const allowed = rules.get(floorOf(path)) ?? ['cli']
    const isAllowed = (target: string) => [floorOf(path), ...allowed].includes(floorOf(target))
    return imports.filter(target => !isAllowed(target)).map(target => `${path} -> ${target}`)
  })
  assert.deepEqual(forbidden, [])
})

test('only tests import what is made for tests', () => {
  const found = product.flatMap(([path, imports]) =>
    imports.filter(target => TEST_FILE.test(target)).map(target => `${path} -> ${target}`),
  )
  assert.deepEqual(found, [])
})

test('nothing imports itself by a detour', () => {
  assert.deepEqual(circlesOf(house), [])
})
