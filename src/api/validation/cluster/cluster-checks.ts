// Kinds that describe the cluster and what may be used of it: 'group/Kind' → checks.
import type { PodTemplate } from '../../types/core-v1.ts'
import { autoscalerValidator } from '../autoscaling/horizontal-pod-autoscaler.ts'
import { ingressValidator } from '../networking/ingress.ts'
import { ingressClassValidator } from '../networking/ingress-class.ts'
import { validateTemplate } from '../pod-template.ts'
import { csiChecks } from '../storage/csi.ts'
import type { Validator } from '../validator.ts'
import { priorityClassValidator, runtimeClassValidator } from './classes.ts'
import { eventValidator } from './event.ts'
import { leaseValidator } from './lease.ts'
import { limitRangeValidator } from './limit-range.ts'
import { nodeValidator } from './node.ts'
import { resourceQuotaValidator } from './resource-quota.ts'

export const clusterChecks: Record<string, Validator> = {
  '/Event': eventValidator,
  '/LimitRange': limitRangeValidator,
  '/Node': nodeValidator,
  '/PodTemplate': { create: ({ template }: PodTemplate) => validateTemplate(template, 'template') },
  '/ResourceQuota': resourceQuotaValidator,
  'autoscaling/HorizontalPodAutoscaler': autoscalerValidator,
  'coordination.k8s.io/Lease': leaseValidator,
  'networking.k8s.io/Ingress': ingressValidator,
  'networking.k8s.io/IngressClass': ingressClassValidator,
  'node.k8s.io/RuntimeClass': runtimeClassValidator,
  'scheduling.k8s.io/PriorityClass': priorityClassValidator,
  ...csiChecks,
}
