// The contract that the fake and crun pass in the unit tests, over the other runtimes of real containers.
import {
  CONTAINERD_NEEDS,
  openContainerd,
} from '../../src/runtime/containerd/testing/containerd-world.fixture.ts'
import { runtimeContract } from '../../src/runtime/contract.ts'
import { NEEDS, openNative } from '../../src/runtime/native/testing/native-world.fixture.ts'

runtimeContract('native with runc', () => openNative('runc'), { skip: NEEDS })

// Debian's 1.6 has none of these yet.
runtimeContract('containerd', openContainerd, {
  skip: CONTAINERD_NEEDS,
  lacks: ['events', 'stopSignal', 'runtimeConfig', 'imageFilter', 'userNamespaces'],
})
