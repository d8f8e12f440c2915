import type { ContractPod, ContractWorld, Lack } from './contract-world.ts'

/** Registers one test; `body` gets the world and a running pod that is removed afterwards. */
export type Check = (title: string, body: (pod: ContractPod, world: ContractWorld) => Promise<void>) => void

export interface Suite {
  check: Check
  lacks(what: Lack): boolean
}
