/** Loads the samples of every family. */
import './attention.js';
import './convert.js';
import './einsum.js';
import './matmul.js';
import './norm.js';
import './reduce.js';
import './scan.js';
import './softmax.js';
import './loss.js';
import './conv.js';
import './pool.js';
import './sort.js';
import './views.js';
import './creation.js';
import './indexing.js';
import './movement.js';
import './random.js';
