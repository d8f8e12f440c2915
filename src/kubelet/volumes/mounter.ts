// The mounts that volumes need, as an interface so that tests run without privileges.
import { MS, mount, unmountIfMounted } from '../../runtime/native/syscall/libc.ts'

export interface Mounter {
  /** `options` as tmpfs takes them: 'size=1048576,mode=0777'. */
  tmpfs(target: string, options: string): void
  /** `options` as hugetlbfs takes them: 'pagesize=2M'. */
  hugetlbfs(target: string, options: string): void
  /** Shows source (a path, also /proc/self/fd/N) at target. */
  bind(source: string, target: string): void
  /** The device's file system of this type. */
  device(source: string, target: string, type: string): void
  /** What is not mounted is fine. */
  unmount(target: string): void
}

export const systemMounter: Mounter = {
  tmpfs: (target, options) => mount('tmpfs', target, 'tmpfs', MS.noSuid | MS.noDev, options),
  hugetlbfs: (target, options) => mount('nodev', target, 'hugetlbfs', MS.noSuid | MS.noDev, options),
  bind: (source, target) => mount(source, target, null, MS.bind),
  device: (source, target, type) => mount(source, target, type, 0),
  unmount: unmountIfMounted,
}
