import { type LineageRole } from '../../licenses/domain/listing.js';

/** What a node brings into the work: the inputs that name weight files, with the role of what is in them. */
export interface NodeRule {
  readonly weights?: Readonly<Record<string, LineageRole>> | undefined;
  /** Inputs that name a picture in the input folder of the server; filled by uploads only. */
  readonly files?: readonly string[] | undefined;
}

/** Nodes that come with ComfyUI and name no file at all: latents, conditioning, samplers, arithmetic on pictures. */
const WITHOUT_FILES = [
  'BasicGuider',
  'BasicScheduler',
  'CFGGuider',
  'CLIPSetLastLayer',
  'CLIPTextEncode',
  'CLIPTextEncodeFlux',
  'CLIPTextEncodeSD3',
  'CLIPTextEncodeSDXL',
  'CLIPTextEncodeSDXLRefiner',
  'CLIPVisionEncode',
  'ConditioningAverage',
  'ConditioningCombine',
  'ConditioningConcat',
  'ConditioningSetArea',
  'ConditioningSetMask',
  'ConditioningZeroOut',
  'ControlNetApply',
  'ControlNetApplyAdvanced',
  'DualCFGGuider',
  'EmptyImage',
  'EmptyFlux2LatentImage',
  'EmptyLatentImage',
  'EmptyQwenImageLayeredLatentImage',
  'EmptySD3LatentImage',
  'FluxGuidance',
  'FluxKontextImageScale',
  'GrowMask',
  'ImageBatch',
  'ImageBlend',
  'ImageBlur',
  'ImageColorToMask',
  'ImageCompositeMasked',
  'ImageCrop',
  'ImageInvert',
  'ImagePadForOutpaint',
  'ImageScale',
  'ImageScaleBy',
  'ImageScaleToMaxDimension',
  'ImageScaleToTotalPixels',
  'ImageSharpen',
  'ImageStitch',
  'ImageToMask',
  'ImageUpscaleWithModel',
  'InpaintModelConditioning',
  'InvertMask',
  'JoinImageWithAlpha',
  'KSampler',
  'KSamplerAdvanced',
  'KSamplerSelect',
  'LatentUpscale',
  'LatentUpscaleBy',
  'MaskComposite',
  'MaskToImage',
  'ModelSamplingAuraFlow',
  'ModelSamplingFlux',
  'ModelSamplingSD3',
  'PreviewImage',
  'RandomNoise',
  'ReferenceLatent',
  'RepeatLatentBatch',
  'SamplerCustom',
  'SamplerCustomAdvanced',
  'SaveImage',
  'SetLatentNoiseMask',
  'SolidMask',
  'SplitImageWithAlpha',
  'TextEncodeQwenImageEdit',
  'TextEncodeQwenImageEditPlus',
  'VAEDecode',
  'VAEDecodeTiled',
  'VAEEncode',
  'VAEEncodeForInpaint',
  'VAEEncodeTiled',
] as const;

/** Nodes that load weights or pictures. */
const WITH_FILES: Readonly<Record<string, NodeRule>> = {
  CheckpointLoaderSimple: { weights: { ckpt_name: 'generator' } },
  unCLIPCheckpointLoader: { weights: { ckpt_name: 'generator' } },
  UNETLoader: { weights: { unet_name: 'generator' } },
  VAELoader: { weights: { vae_name: 'autoencoder' } },
  CLIPLoader: { weights: { clip_name: 'encoder' } },
  DualCLIPLoader: { weights: { clip_name1: 'encoder', clip_name2: 'encoder' } },
  TripleCLIPLoader: { weights: { clip_name1: 'encoder', clip_name2: 'encoder', clip_name3: 'encoder' } },
  QuadrupleCLIPLoader: {
    weights: {
      clip_name1: 'encoder',
      clip_name2: 'encoder',
      clip_name3: 'encoder',
      clip_name4: 'encoder',
    },
  },
  CLIPVisionLoader: { weights: { clip_name: 'encoder' } },
  LoraLoader: { weights: { lora_name: 'lora' } },
  LoraLoaderModelOnly: { weights: { lora_name: 'lora' } },
  ControlNetLoader: { weights: { control_net_name: 'control' } },
  DiffControlNetLoader: { weights: { control_net_name: 'control' } },
  StyleModelLoader: { weights: { style_model_name: 'control' } },
  GLIGENLoader: { weights: { gligen_name: 'control' } },
  HypernetworkLoader: { weights: { hypernetwork_name: 'lora' } },
  UpscaleModelLoader: { weights: { model_name: 'upscaler' } },
  PhotoMakerLoader: { weights: { photomaker_model_name: 'face' } },
  LoadImage: { files: ['image'] },
  LoadImageMask: { files: ['image'] },
};

/**
 * The closed list of nodes whose effect on the lineage is known (docs/providers.md shows it). A node that is not here
 * could load anything from anywhere, so a graph with one is refused until the operator says what it loads.
 */
export const KNOWN_NODES: ReadonlyMap<string, NodeRule> = new Map<string, NodeRule>([
  ...WITHOUT_FILES.map((name) => [name, {}] as const),
  ...Object.entries(WITH_FILES),
]);
