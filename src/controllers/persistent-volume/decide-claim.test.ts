import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/types/core-v1.ts'
import type { ObjectMeta } from '../../api/types/meta-v1.ts'
import type { StorageClass } from '../../api/types/storage-v1.ts'
import { meta, node } from '../testing/workload-objects.fixture.ts'
import { type ClaimAction, decideClaim, type ObservedStorage } from './decide-claim.ts'
import { decideVolume } from './decide-volume.ts'

const claim = (
  spec: Partial<PersistentVolumeClaim['spec']> = {},
  metadata: Partial<ObjectMeta> = {},
): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: meta('data', metadata),
  spec: {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '2Gi' } },
    storageClassName: '',
    ...spec,
  },
  status: { phase: 'Pending' },
})

const volume = (
  name: string,
  spec: Partial<PersistentVolume['spec']> = {},
  phase: NonNullable<PersistentVolume['status']['phase']> = 'Available',
  metadata: Partial<ObjectMeta> = {},
): PersistentVolume => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: meta(name, metadata),
  spec: { capacity: { storage: '5Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/d' }, ...spec },
  status: { phase },
})

const storageClass = (
  name: string,
  volumeBindingMode: 'Immediate' | 'WaitForFirstConsumer',
  isDefault = false,
) =>
  ({
    metadata: meta(name, {
      ...(isDefault && { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } }),
    }),
    provisioner: 'example.com/disk',
    volumeBindingMode,
  }) as StorageClass

const ref = (uid?: string) => ({ namespace: 'default', name: 'data', ...(uid && { uid }) })
const bound = { 'pv.kubernetes.io/bind-completed': 'yes' }
const onlyOn = (name: string) => ({
  required: {
    nodeSelectorTerms: [
      { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In' as const, values: [name] }] },
    ],
  },
})
const here = node('here', {}, { 'kubernetes.io/hostname': 'here' })

/** 'bind NAME', 'wait REASON' … */
function shown(action: ClaimAction): string {
  const detail =
    action.do === 'bind'
      ? action.volume.metadata.name
      : action.do === 'setClass'
        ? action.className
        : action.do === 'wait'
          ? action.event?.reason
          : action.event.reason
  return [action.do, detail].filter(Boolean).join(' ')
}

const cases: Record<
  string,
  { claim: PersistentVolumeClaim; observed?: Partial<ObservedStorage>; expected: string }
> = {
  'the smallest volume that is large enough': {
    claim: claim(),
    observed: {
      volumes: [
        volume('large'),
        volume('fits', { capacity: { storage: '3Gi' } }),
        volume('small', { capacity: { storage: '1Gi' } }),
      ],
    },
    expected: 'bind fits',
  },
  'a volume that its author reserved comes first': {
    claim: claim(),
    observed: {
      volumes: [volume('small', { capacity: { storage: '2Gi' } }), volume('mine', { claimRef: ref() })],
    },
    expected: 'bind mine',
  },
  'another’s volume is not taken': {
    claim: claim(),
    observed: { volumes: [volume('other', { claimRef: { namespace: 'default', name: 'other' } })] },
    expected: 'wait FailedBinding',
  },
  'a volume of an earlier claim of the name is not taken': {
    claim: claim(),
    observed: { volumes: [volume('old', { claimRef: ref('uid-before') }, 'Released')] },
    expected: 'wait FailedBinding',
  },
  'access modes must all be there': {
    claim: claim({ accessModes: ['ReadWriteOnce', 'ReadOnlyMany'] }),
    observed: { volumes: [volume('one')] },
    expected: 'wait FailedBinding',
  },
  'the class must be the same': {
    claim: claim({ storageClassName: 'fast' }),
    observed: { volumes: [volume('slow')], classes: [storageClass('fast', 'Immediate')] },
    expected: 'askProvisioner ExternalProvisioning',
  },
  'the claim’s selector is asked': {
    claim: claim({ selector: { matchLabels: { tier: 'db' } } }),
    observed: { volumes: [volume('no'), volume('yes', {}, 'Available', { labels: { tier: 'db' } })] },
    expected: 'bind yes',
  },
  'a class that waits for a consumer is not bound before there is one': {
    claim: claim({ storageClassName: 'late' }),
    observed: {
      classes: [storageClass('late', 'WaitForFirstConsumer')],
      volumes: [volume('v', { storageClassName: 'late' })],
    },
    expected: 'wait WaitForFirstConsumer',
  },
  'nor before the consumer has a node': {
    claim: claim({ storageClassName: 'late' }),
    observed: { classes: [storageClass('late', 'WaitForFirstConsumer')], consumers: { waiting: ['web-0'] } },
    expected: 'wait WaitForPodScheduled',
  },
  'with a node only volumes that it reaches count': {
    claim: claim({ storageClassName: 'late' }),
    observed: {
      classes: [storageClass('late', 'WaitForFirstConsumer')],
      volumes: [
        volume('there', {
          storageClassName: 'late',
          nodeAffinity: onlyOn('there'),
          capacity: { storage: '2Gi' },
        }),
        volume('here', { storageClassName: 'late', nodeAffinity: onlyOn('here') }),
      ],
      consumers: { waiting: [], node: here },
    },
    expected: 'bind here',
  },
  'the scheduler’s choice of a node is enough to provision': {
    claim: claim(
      { storageClassName: 'late' },
      { annotations: { 'volume.kubernetes.io/selected-node': 'here' } },
    ),
    observed: { classes: [storageClass('late', 'WaitForFirstConsumer')] },
    expected: 'askProvisioner ExternalProvisioning',
  },
  'a class that does not exist': {
    claim: claim({ storageClassName: 'none' }),
    expected: 'wait ProvisioningFailed',
  },
  'a claim from before there was a default class gets it': {
    claim: {
      ...claim(),
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    },
    observed: { classes: [storageClass('usual', 'Immediate', true)] },
    expected: 'setClass usual',
  },
  'a named volume that is not there is waited for': { claim: claim({ volumeName: 'v' }), expected: 'wait' },
  'a named volume that does not fit is told': {
    claim: claim({ volumeName: 'v' }),
    observed: { volumes: [volume('v', { capacity: { storage: '1Gi' } })] },
    expected: 'wait VolumeMismatch',
  },
  'a named volume that another has is waited for': {
    claim: claim({ volumeName: 'v' }),
    observed: { volumes: [volume('v', { claimRef: { namespace: 'default', name: 'other', uid: 'o' } })] },
    expected: 'wait FailedBinding',
  },
  'a bound claim stays bound': {
    claim: claim({ volumeName: 'v' }, { annotations: bound }),
    observed: { volumes: [volume('v', { claimRef: ref('uid-data') }, 'Bound')] },
    expected: 'bind v',
  },
  'a bound claim whose volume is gone is lost': {
    claim: claim({ volumeName: 'v' }, { annotations: bound }),
    expected: 'lose ClaimLost',
  },
  'a bound claim whose volume has another claim is lost': {
    claim: claim({ volumeName: 'v' }, { annotations: bound }),
    observed: { volumes: [volume('v', { claimRef: ref('uid-other') }, 'Bound')] },
    expected: 'lose ClaimMisbound',
  },
}

for (const [title, { claim, observed, expected }] of Object.entries(cases)) {
  test(title, () => {
    const storage = { volumes: [], classes: [], consumers: { waiting: [] }, ...observed }
    assert.equal(shown(decideClaim(claim, storage)), expected)
  })
}

const mine = claim({ volumeName: 'v' })
const provisioned = { annotations: { 'pv.kubernetes.io/provisioned-by': 'x' } }

const volumes: Record<string, { volume: PersistentVolume; claim?: PersistentVolumeClaim; expected: object }> =
  {
    'one without a claim is available': {
      volume: volume('v', {}, 'Pending'),
      expected: { do: 'setPhase', phase: 'Available' },
    },
    'one with its claim is bound': {
      volume: volume('v', { claimRef: ref('uid-data') }),
      claim: mine,
      expected: { do: 'setPhase', phase: 'Bound' },
    },
    'one whose claim does not know it yet tells the claim': {
      volume: volume('v', { claimRef: ref('uid-data') }),
      claim: claim(),
      expected: { do: 'enqueueClaim' },
    },
    'one that is kept for a claim of the other mode says so': {
      volume: volume('v', { claimRef: ref('uid-data'), volumeMode: 'Block' }),
      claim: claim(),
      expected: {
        do: 'mismatch',
        onVolume:
          'Cannot bind PersistentVolume to requested PersistentVolumeClaim "data" due to incompatible volumeMode.',
        onClaim:
          'Cannot bind PersistentVolume "v" to requested PersistentVolumeClaim due to incompatible volumeMode.',
      },
    },
    'one whose claim is gone is released': {
      volume: volume('v', { claimRef: ref('uid-data') }, 'Bound'),
      expected: { do: 'setPhase', phase: 'Released' },
    },
    'one whose claim was made anew is released': {
      volume: volume('v', { claimRef: ref('uid-before') }, 'Bound'),
      claim: mine,
      expected: { do: 'setPhase', phase: 'Released' },
    },
    'one that is retained stays released': {
      volume: volume('v', { claimRef: ref('u'), persistentVolumeReclaimPolicy: 'Retain' }, 'Released'),
      expected: { do: 'nothing' },
    },
    'one that was provisioned is left to its provisioner': {
      volume: volume(
        'v',
        { claimRef: ref('u'), persistentVolumeReclaimPolicy: 'Delete' },
        'Released',
        provisioned,
      ),
      expected: { do: 'nothing' },
    },
    'one that nobody can delete has failed': {
      volume: volume('v', { claimRef: ref('u'), persistentVolumeReclaimPolicy: 'Delete' }, 'Released'),
      expected: {
        do: 'fail',
        message: 'error getting deleter volume plugin for volume "v": no deletable volume plugin matched',
      },
    },
    'one whose claim took another is free again': {
      volume: volume('w', { claimRef: ref('uid-data') }, 'Available', {
        annotations: { 'pv.kubernetes.io/bound-by-controller': 'yes' },
      }),
      claim: mine,
      expected: { do: 'unbind' },
    },
  }

for (const [title, { volume, claim, expected }] of Object.entries(volumes)) {
  test(`volumes: ${title}`, () => assert.deepEqual(decideVolume(volume, claim), expected))
}
