import type { DiskFigures } from '../../stats/summary.ts'
import type { VolumeUsage } from './csi-api.ts'

/** A driver's answer as the stats summary has it. Pure. Upstream: csi_client.go NodeGetVolumeStats. */
export function volumeFigures(usage: readonly VolumeUsage[]): Partial<DiskFigures> {
  const of = (unit: VolumeUsage['unit']) => usage.find(one => one.unit === unit)
  const [bytes, inodes] = [of('BYTES'), of('INODES')]
  return {
    ...(bytes && {
      availableBytes: bytes.available,
      capacityBytes: bytes.total,
      usedBytes: bytes.used,
    }),
    ...(inodes && { inodes: inodes.total, inodesFree: inodes.available, inodesUsed: inodes.used }),
  }
}
