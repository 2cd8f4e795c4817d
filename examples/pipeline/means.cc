// The C++ stage: the mean of each column, read where the matrix lies.
#include <sabir/sabir.hpp>
#include <vector>

namespace {

sabir::Tensor<double> column_means(const sabir::Tensor<double>& matrix) {
  uint64_t rows = matrix.shape()[0];
  uint64_t columns = matrix.shape()[1];
  std::vector<double> means(columns);
  for (uint64_t row = 0; row < rows; ++row) {
    for (uint64_t column = 0; column < columns; ++column) {
      means[column] += matrix(row, column);
    }
  }
  for (double& mean : means) {
    mean /= static_cast<double>(rows);
  }
  return sabir::Tensor<double>::of(std::move(means));
}

}  // namespace

SABIR_REMOTE(column_means);
