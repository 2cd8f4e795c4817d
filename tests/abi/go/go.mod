module sabir

go 1.21
