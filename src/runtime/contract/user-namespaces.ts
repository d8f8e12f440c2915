import assert from 'node:assert/strict'
import type { IDMapping, NamespaceOption, PodSandboxConfig } from '../cri/cri.generated.ts'
import { CRI_CODE } from '../cri/cri-error.ts'
import { ContractPod } from './contract-world.ts'
import type { Suite } from './suite.ts'

/** For benchmarks of networks (RFC 2544): nobody's own. */
const POD_CIDR = '198.18.77.0/24'
const IDS = [{ hostId: 7 * 65_536, containerId: 0, length: 65_536 }]

export function userNamespaceTests({ check, lacks }: Suite): void {
  if (lacks('userNamespaces')) return

  check('a pod has the ids it is given, before and after the runtime was killed', async (_, world) => {
    await world.service.updateRuntimeConfig({ runtimeConfig: { networkConfig: { podCidr: POD_CIDR } } })
    const pod = await new ContractPod(world, 'mapped', mapped(IDS, IDS)).run()
    try {
      const linux = { securityContext: { namespaceOptions: options(IDS, IDS) } }
      const containerId = await pod.start('app', {}, { linux })
      const told = async () => {
        const cmd = ['/bin/sh', '-c', 'id -u; cat /proc/self/uid_map /proc/self/gid_map']
        const { stdout } = await world.service.execSync({ containerId, cmd, timeout: 10 })
        return Buffer.from(stdout).toString().trim().split(/\s+/).map(Number)
      }
      const map = [0, 7 * 65_536, 65_536]
      assert.deepEqual(await told(), [0, ...map, ...map])
      await world.restart()
      assert.deepEqual(await told(), [0, ...map, ...map])
    } finally {
      await world.service.stopPodSandbox({ podSandboxId: pod.id })
      await world.service.removePodSandbox({ podSandboxId: pod.id })
    }
  })

  const without0 = [{ hostId: 65_536, containerId: 1, length: 10 }]
  const refused: [string, PodSandboxConfig['linux']][] = [
    ['without ids', mapped([], []).linux],
    ['without ids for groups', mapped(IDS, []).linux],
    ['without an id for root', mapped(without0, without0).linux],
    ['in the network of the node', inNodeNetwork()],
  ]
  for (const [what, linux] of refused) {
    check(`a user namespace ${what} is refused`, async ({ config }, { service }) => {
      const metadata = { ...config.metadata, name: 'refused', uid: 'refused' }
      const call = service.runPodSandbox({
        config: { ...config, metadata, linux: linux! },
        runtimeHandler: '',
      })
      await assert.rejects(call, { code: CRI_CODE.invalidArgument })
    })
  }
}

const options = (uids: IDMapping[], gids: IDMapping[]): NamespaceOption => ({
  network: 'POD',
  ipc: 'POD',
  pid: 'CONTAINER',
  usernsOptions: { mode: 'POD', uids, gids },
})

const mapped = (uids: IDMapping[], gids: IDMapping[]): Pick<PodSandboxConfig, 'linux'> => ({
  linux: { securityContext: { namespaceOptions: options(uids, gids) } },
})

function inNodeNetwork(): PodSandboxConfig['linux'] {
  return { securityContext: { namespaceOptions: { ...options(IDS, IDS), network: 'NODE' } } }
}
