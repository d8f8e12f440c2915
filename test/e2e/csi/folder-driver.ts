// The CSI driver of csi.test.ts as a program in a container: it finds the kubelet's folders where drivers' manifests
// mount them. Arguments: its name, and the folder of its volumes.
import { mkdirSync } from 'node:fs'
import { FolderDriver } from '../../../src/kubelet/volumes/csi/testing/folder-driver.fixture.ts'
import { MS, mount, unmountIfMounted } from '../../../src/runtime/native/syscall/libc.ts'

const [name = '', folder = ''] = process.argv.slice(2)
mkdirSync(folder, { recursive: true })

const driver = new FolderDriver({
  name,
  rootDir: '/registration',
  endpoint: { socket: '/csi/csi.sock', told: `/var/lib/kubelet/plugins/${name}/csi.sock` },
  folder,
  mounts: {
    bind: (source, target) => mount(source, target, null, MS.bind),
    unmount: unmountIfMounted,
    device: file => file,
    release() {},
  },
})
await driver.start()
process.on('SIGTERM', () => {
  driver.stop()
  process.exit()
})
