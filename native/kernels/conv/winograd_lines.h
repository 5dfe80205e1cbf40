// Winograd's minimal filtering along one line, and along both axes of a tile. F(m, 3) gives m neighbouring pixels of a
// result, which read m + 2 of the source, by m + 2 products:
//
//     y = A^T ((G w) * (B^T d)),
//
// w the filter and d the source, with m = 2 at the points 0, 1, -1 and infinity, with m = 4 at 0, 1, -1, 2, -2 and
// infinity. The matrices are the source's: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2015).
#pragma once

namespace nodegrad::NODEGRAD_LEVEL {

template <int SIDE>
struct WinogradLine;

template <>
struct WinogradLine<2> {
  // B^T d
  template <class V>
  static void source(const V* d, V* to) {
    to[0] = d[0] - d[2];
    to[1] = d[1] + d[2];
    to[2] = d[2] - d[1];
    to[3] = d[1] - d[3];
  }
  // G w
  template <class V>
  static void filter(const V* w, V* to) {
    to[0] = w[0];
    to[1] = 0.5f * (w[0] + w[1] + w[2]);
    to[2] = 0.5f * (w[0] - w[1] + w[2]);
    to[3] = w[2];
  }
  // A^T m
  template <class V>
  static void result(const V* m, V* to) {
    to[0] = m[0] + m[1] + m[2];
    to[1] = m[1] - m[2] - m[3];
  }
  // A dy
  template <class V>
  static void gradient(const V* dy, V* to) {
    to[0] = dy[0];
    to[1] = dy[0] + dy[1];
    to[2] = dy[0] - dy[1];
    to[3] = -dy[1];
  }
  // G^T m
  template <class V>
  static void taps(const V* m, V* to) {
    to[0] = m[0] + 0.5f * (m[1] + m[2]);
    to[1] = 0.5f * (m[1] - m[2]);
    to[2] = 0.5f * (m[1] + m[2]) + m[3];
  }
};

template <>
struct WinogradLine<4> {
  template <class V>
  static void source(const V* d, V* to) {
    const V near = d[4] - 4.0f * d[2], odd_near = d[3] - 4.0f * d[1];
    const V far = d[4] - d[2], odd_far = d[3] - d[1];
    to[0] = 4.0f * d[0] + (d[4] - 5.0f * d[2]);
    to[1] = near + odd_near;
    to[2] = near - odd_near;
    to[3] = far + 2.0f * odd_far;
    to[4] = far - 2.0f * odd_far;
    to[5] = 4.0f * d[1] + (d[5] - 5.0f * d[3]);
  }
  template <class V>
  static void filter(const V* w, V* to) {
    const V near = w[0] + w[2], far = (1.0f / 24.0f) * w[0] + (1.0f / 6.0f) * w[2], odd = (1.0f / 12.0f) * w[1];
    to[0] = 0.25f * w[0];
    to[1] = (-1.0f / 6.0f) * (near + w[1]);
    to[2] = (-1.0f / 6.0f) * (near - w[1]);
    to[3] = far + odd;
    to[4] = far - odd;
    to[5] = w[2];
  }
  template <class V>
  static void result(const V* m, V* to) {
    const V near = m[1] + m[2], odd_near = m[1] - m[2], far = m[3] + m[4], odd_far = m[3] - m[4];
    to[0] = m[0] + near + far;
    to[1] = odd_near + 2.0f * odd_far;
    to[2] = near + 4.0f * far;
    to[3] = odd_near + 8.0f * odd_far + m[5];
  }
  template <class V>
  static void gradient(const V* dy, V* to) {
    const V near = dy[0] + dy[2], odd_near = dy[1] + dy[3], far = dy[0] + 4.0f * dy[2], odd_far = dy[1] + 4.0f * dy[3];
    to[0] = dy[0];
    to[1] = near + odd_near;
    to[2] = near - odd_near;
    to[3] = far + 2.0f * odd_far;
    to[4] = far - 2.0f * odd_far;
    to[5] = dy[3];
  }
  template <class V>
  static void taps(const V* m, V* to) {
    const V near = (1.0f / 6.0f) * (m[1] + m[2]), far = m[3] + m[4];
    to[0] = 0.25f * m[0] - near + (1.0f / 24.0f) * far;
    to[1] = (1.0f / 6.0f) * (m[2] - m[1]) + (1.0f / 12.0f) * (m[3] - m[4]);
    to[2] = (1.0f / 6.0f) * far - near + m[5];
  }
};

// `line`, which makes OUT vectors of IN, along the columns and then the rows of the vectors `from(i, j)`: calls to(i,
// j, vector).
template <class V, int IN, int OUT, class Line, class From, class To>
__attribute__((always_inline)) inline void along_both(const Line& line, const From& from, const To& to) {
  V half[OUT][IN];
#pragma GCC unroll 6
  for (int j = 0; j < IN; j++) {
    V read[IN], made[OUT];
#pragma GCC unroll 6
    for (int i = 0; i < IN; i++) read[i] = from(i, j);
    line(read, made);
#pragma GCC unroll 6
    for (int i = 0; i < OUT; i++) half[i][j] = made[i];
  }
#pragma GCC unroll 6
  for (int i = 0; i < OUT; i++) {
    V made[OUT];
    line(half[i], made);
#pragma GCC unroll 6
    for (int j = 0; j < OUT; j++) to(i, j, made[j]);
  }
}

}  // namespace nodegrad::NODEGRAD_LEVEL
