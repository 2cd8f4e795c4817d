module sabir

go 1.19
