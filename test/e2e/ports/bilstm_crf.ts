/** bilstm_crf.py in nodegrad, line by line. */
import {
  cat,
  exp,
  full,
  log,
  manualSeed,
  max,
  nn,
  noGrad,
  optim,
  randn,
  slice,
  sum,
  type Tensor,
  tensor,
  zeros,
} from 'nodegrad';

const START_TAG = '<START>';
const STOP_TAG = '<STOP>';
const EMBEDDING_DIM = 5;
const HIDDEN_DIM = 4;

function argmax(vec: Tensor): number {
  const [, idx] = max(vec, 1);
  return idx.item();
}

function prepareSequence(seq: string[], toIx: Map<string, number>): Tensor {
  const idxs = seq.map((w) => toIx.get(w)!);
  return tensor(idxs, { dtype: 'int64' });
}

function logSumExp(vec: Tensor): Tensor {
  const maxScore = vec.index([0, argmax(vec)]);
  const maxScoreBroadcast = maxScore.view(1, -1).expand(1, vec.size()[1]);
  return maxScore.add(log(sum(exp(vec.sub(maxScoreBroadcast)))));
}

class BiLSTM_CRF extends nn.Module {
  embeddingDim: number;
  hiddenDim: number;
  vocabSize: number;
  tagToIx: Map<string, number>;
  tagsetSize: number;
  wordEmbeds: nn.Embedding;
  lstm: nn.LSTM;
  hidden2tag: nn.Linear;
  transitions: nn.Parameter;
  hidden: [Tensor, Tensor];

  constructor(vocabSize: number, tagToIx: Map<string, number>, embeddingDim: number, hiddenDim: number) {
    super();
    this.embeddingDim = embeddingDim;
    this.hiddenDim = hiddenDim;
    this.vocabSize = vocabSize;
    this.tagToIx = tagToIx;
    this.tagsetSize = tagToIx.size;

    this.wordEmbeds = new nn.Embedding(vocabSize, embeddingDim);
    this.lstm = new nn.LSTM(embeddingDim, hiddenDim / 2, { numLayers: 1, bidirectional: true });
    this.hidden2tag = new nn.Linear(hiddenDim, this.tagsetSize);

    // Entry i, j is the score of going to i from j.
    this.transitions = new nn.Parameter(randn(this.tagsetSize, this.tagsetSize));
    // No way leads to the start, and none from the stop.
    this.transitions.data.indexPut_([tagToIx.get(START_TAG)!, slice()], -10000);
    this.transitions.data.indexPut_([slice(), tagToIx.get(STOP_TAG)!], -10000);

    this.hidden = this.initHidden();
  }

  initHidden(): [Tensor, Tensor] {
    return [randn(2, 1, this.hiddenDim / 2), randn(2, 1, this.hiddenDim / 2)];
  }

  forwardAlg(feats: Tensor): Tensor {
    const initAlphas = full([1, this.tagsetSize], -10000);
    initAlphas.index(0).indexPut_([this.tagToIx.get(START_TAG)!], 0);
    let forwardVar = initAlphas;

    for (const feat of feats) {
      const alphasT: Tensor[] = [];
      for (let nextTag = 0; nextTag < this.tagsetSize; nextTag++) {
        const emitScore = feat.index(nextTag).view(1, -1).expand(1, this.tagsetSize);
        const transScore = this.transitions.index(nextTag).view(1, -1);
        const nextTagVar = forwardVar.add(transScore).add(emitScore);
        alphasT.push(logSumExp(nextTagVar).view(1));
      }
      forwardVar = cat(alphasT).view(1, -1);
    }
    const terminalVar = forwardVar.add(this.transitions.index(this.tagToIx.get(STOP_TAG)!));
    return logSumExp(terminalVar);
  }

  getLstmFeatures(sentence: Tensor): Tensor {
    this.hidden = this.initHidden();
    const embeds = this.wordEmbeds(sentence).view(sentence.size(0), 1, -1);
    let lstmOut: Tensor;
    [lstmOut, this.hidden] = this.lstm(embeds, this.hidden);
    lstmOut = lstmOut.view(sentence.size(0), this.hiddenDim);
    return this.hidden2tag(lstmOut);
  }

  scoreSentence(feats: Tensor, tags: Tensor): Tensor {
    let score = zeros(1);
    tags = cat([tensor([this.tagToIx.get(START_TAG)!], { dtype: 'int64' }), tags]);
    for (const [i, feat] of [...feats].entries()) {
      score = score
        .add(this.transitions.index([tags.index(i + 1), tags.index(i)]))
        .add(feat.index([tags.index(i + 1)]));
    }
    score = score.add(this.transitions.index([this.tagToIx.get(STOP_TAG)!, tags.index(-1)]));
    return score;
  }

  viterbiDecode(feats: Tensor): [Tensor, number[]] {
    const backpointers: number[][] = [];
    const initVvars = full([1, this.tagsetSize], -10000);
    initVvars.index(0).indexPut_([this.tagToIx.get(START_TAG)!], 0);
    let forwardVar = initVvars;
    for (const feat of feats) {
      const bptrsT: number[] = [];
      const viterbivarsT: Tensor[] = [];
      for (let nextTag = 0; nextTag < this.tagsetSize; nextTag++) {
        const nextTagVar = forwardVar.add(this.transitions.index(nextTag));
        const bestTagId = argmax(nextTagVar);
        bptrsT.push(bestTagId);
        viterbivarsT.push(nextTagVar.index([0, bestTagId]).view(1));
      }
      forwardVar = cat(viterbivarsT).add(feat).view(1, -1);
      backpointers.push(bptrsT);
    }

    const terminalVar = forwardVar.add(this.transitions.index(this.tagToIx.get(STOP_TAG)!));
    let bestTagId = argmax(terminalVar);
    const pathScore = terminalVar.index([0, bestTagId]);

    const bestPath = [bestTagId];
    for (const bptrsT of backpointers.reverse()) {
      bestTagId = bptrsT[bestTagId];
      bestPath.push(bestTagId);
    }
    const start = bestPath.pop();
    if (start !== this.tagToIx.get(START_TAG)) throw new Error(`the path begins at ${start}`);
    bestPath.reverse();
    return [pathScore, bestPath];
  }

  negLogLikelihood(sentence: Tensor, tags: Tensor): Tensor {
    const feats = this.getLstmFeatures(sentence);
    const forwardScore = this.forwardAlg(feats);
    const goldScore = this.scoreSentence(feats, tags);
    return forwardScore.sub(goldScore);
  }

  override forward(sentence: Tensor): [Tensor, number[]] {
    const lstmFeats = this.getLstmFeatures(sentence);
    return this.viterbiDecode(lstmFeats);
  }
}

export function main(): number[] {
  manualSeed(1);
  const trainingData = [
    [
      'the wall street journal reported today that apple corporation made money'.split(' '),
      'B I I I O O O B I O O'.split(' '),
    ],
    ['georgia tech is a university in georgia'.split(' '), 'B I O O O O B'.split(' ')],
  ];

  const wordToIx = new Map<string, number>();
  for (const [sentence] of trainingData) {
    for (const word of sentence) if (!wordToIx.has(word)) wordToIx.set(word, wordToIx.size);
  }
  const tagToIx = new Map([
    ['B', 0],
    ['I', 1],
    ['O', 2],
    [START_TAG, 3],
    [STOP_TAG, 4],
  ]);

  const model = new BiLSTM_CRF(wordToIx.size, tagToIx, EMBEDDING_DIM, HIDDEN_DIM);
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, weightDecay: 1e-4 });

  const losses: number[] = [];
  for (let epoch = 0; epoch < 15; epoch++) {
    for (const [sentence, tags] of trainingData) {
      model.zeroGrad();
      const sentenceIn = prepareSequence(sentence, wordToIx);
      const targets = prepareSequence(tags, tagToIx);
      const loss = model.negLogLikelihood(sentenceIn, targets);
      loss.backward();
      optimizer.step();
      losses.push(loss.item());
    }
  }

  noGrad(() => {
    const [score, path] = model(prepareSequence(trainingData[0][0], wordToIx));
    losses.push(score.item());
    losses.push(...path);
  });
  return losses;
}
