// The contract over real containers. Started in its own process, so other tests keep their namespaces.
import { runtimeContract } from '../contract.ts'
import { NEEDS, openNative } from './testing/native-world.fixture.ts'

runtimeContract('native with crun', () => openNative('crun'), { skip: NEEDS })
